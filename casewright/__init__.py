"""Casewright: a governed case-review assistant. The shared kernel; knows no server or agent."""

__version__ = "0.1.0"
