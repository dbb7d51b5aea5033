"""The vendor-compatible send API."""
