"""The facts of a case: import, store, what is known, what may be seen, what the rules say.

It holds facts only; the rules that are searched live in `casewright.corpus`.
"""
