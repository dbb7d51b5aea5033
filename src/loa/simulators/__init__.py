"""Stand-ins for the outside world: SMSC, callback receiver."""
