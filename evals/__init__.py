"""Evaluations: data sets, suites that try them on the real parts, gates over the results, and the report."""
