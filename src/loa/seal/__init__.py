"""Secrets at rest: the envelope of one value, the master keys that open it, and the file they lie in."""
