"""Who is calling: keys, tokens, and the identities of a local installation."""
