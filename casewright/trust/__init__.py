"""Telemetry on untrusted text: what looks as if it were written to steer a model. It informs, and decides nothing."""
