"""An SMSC on a socket: takes binds and submits, shows handsets, sends receipts, and misbehaves as scripted."""
