"""One package a provider."""
