"""The rules that are searched: ingest, index, search, versions, quotes.

`corpus.Corpus` is the one way in. It is deliberately *not* aware of servers, agents or
access policies: it is handed typed filters that an access decision made. The heavy
libraries under it are imported when first needed.
"""
