"""Loa, a self-hosted messaging gateway."""
