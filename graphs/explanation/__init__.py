"""Explains a run from its records: `explain.py` asks, the other files each answer some of the questions.

For the commands and the API. It reads and decides nothing; who may read a run is asked before.
"""
