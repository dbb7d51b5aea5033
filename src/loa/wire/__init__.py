"""A quick HTTP/1.1 client for what is posted once a message. Who may be called is decided by those who use it."""
