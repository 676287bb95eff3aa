"""Pure functions that turn what was observed into a result."""
