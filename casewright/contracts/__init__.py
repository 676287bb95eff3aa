"""Frozen models that cross a process: the words that all parts of the house share."""
