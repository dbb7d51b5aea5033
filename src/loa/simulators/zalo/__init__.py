"""A Zalo platform: sign-in, Official Account API, template messages, uploads and signed events, played by a script."""
