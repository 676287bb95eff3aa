"""Approvals: who agreed to exactly which call, once."""
