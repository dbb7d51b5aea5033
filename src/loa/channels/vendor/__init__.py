"""The vendor channel: another gateway of the same API family as an upstream."""
