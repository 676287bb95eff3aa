"""The case facts server: the one case that the token names, as far as the caller may see it."""
