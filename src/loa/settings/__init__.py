"""One frozen, documented tree of settings."""
