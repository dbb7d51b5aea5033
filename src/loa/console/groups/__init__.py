"""Every screen with what it needs, a table for each group of the navigation."""
