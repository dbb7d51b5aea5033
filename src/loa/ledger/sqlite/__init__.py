"""The embedded ledger: one SQLite file, one writer thread, readers apart."""
