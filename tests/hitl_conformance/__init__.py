"""Probes of human-in-the-loop gates: does exactly what people approved happen, once, and nothing else?

The folder stands alone: it needs pytest, and the reference needs LangGraph. See its README.
"""
