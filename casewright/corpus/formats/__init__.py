"""Document formats: bytes of a file in, its head and its blocks out.

One module per format, all behind the `Reader` of `blocks`. Readers know nothing of clauses,
tenants or the index, fetch nothing, and keep no script, style or remote content.
"""
