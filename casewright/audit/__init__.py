"""The audit: an append-only chain of events with a signed head."""
