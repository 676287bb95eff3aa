"""The orchestrator's HTTP API: it begins, answers and shows runs, and never drives one."""
