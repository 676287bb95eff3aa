"""Faults: what is done to the parts of an installation while reviews run, and the processes that are killed."""
