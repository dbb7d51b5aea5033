"""The console: Loa to look at, for the people who run it."""
