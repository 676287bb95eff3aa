"""Drafts: versions of a recommendation, and the citation gate every one must pass."""
