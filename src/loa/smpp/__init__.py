"""SMPP bytes to PDUs and back, session rules, receipt text. Pure: no sockets, no tasks."""
