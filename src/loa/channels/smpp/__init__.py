"""The SMPP channel: links to an SMSC."""
