"""Where providers post their events."""
