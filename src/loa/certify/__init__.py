"""The durability certificate: a real Loa is killed, stalled and cut off, and what it promised is looked for."""
