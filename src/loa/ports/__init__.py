"""Protocols between the stages and the outside: ledger roles, channel, callback sender, clock, probe."""
