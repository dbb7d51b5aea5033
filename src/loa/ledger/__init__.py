"""The durable record, one package an engine."""
