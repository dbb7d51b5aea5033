"""The ledger on PostgreSQL, for many processes on many machines."""
