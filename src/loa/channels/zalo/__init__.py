"""The Zalo channel: messages of an Official Account, by template and by consultation."""
