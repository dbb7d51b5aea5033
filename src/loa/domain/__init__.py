"""Values and rules of messaging: numbers, states, outcomes, routes. Pure."""
