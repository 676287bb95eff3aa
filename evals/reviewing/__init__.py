"""Whole reviews for suites: what people do about them, the models they ask, and what they leave on record."""
