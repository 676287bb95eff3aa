"""Releases: what is pinned together, copied, signed, put in force as one, and taken back as one."""
