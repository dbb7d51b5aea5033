"""Loa, a self-hosted messaging gateway."""

__version__ = "0.1.0"
