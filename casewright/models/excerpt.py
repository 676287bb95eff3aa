"""A clause as a task sees it, and what a model may quote from it.

Quotes are compared exactly here: models are given the text and can copy it.
"""

from casewright.contracts.base import Contract
from casewright.drafts.characters import hidden_characters


class ClauseExcerpt(Contract):
    """A clause that was retrieved for the run."""

    clause_id: str
    document_id: str
    version: str
    label: str
    sha256: str
    text: str
    sentences: tuple[str, ...] = ()
    """Verbatim slices of the text, in order; empty: only the whole text may be quoted."""
    lead_in: str = ""
    """Text of the clauses above it that this one completes, outermost first."""


class Quotation(Contract):
    """Words of one clause."""

    clause_id: str
    quote: str
    """Verbatim: the whole clause or whole consecutive sentences of it."""


def quotable(clause: ClauseExcerpt) -> tuple[str, ...]:
    """The sentences that may be quoted; the whole text where no sentences were given.

    Never one with invisible characters: people approve what they see.
    """
    given = clause.sentences or (clause.text,)
    return tuple(one for one in given if one.strip() and not hidden_characters(one) and not quote_problem(clause, one))


def quote_problem(clause: ClauseExcerpt, quote: str) -> str:
    """Why `quote` is not whole sentences of the clause; empty: it is."""
    if not quote.strip():
        return "the quote is empty"
    if quote == clause.text:
        return ""
    if quote not in clause.text:
        return "the quote is not verbatim in the clause: copy it character by character"
    starts, ends = _edges(clause)
    at = clause.text.find(quote)
    while at >= 0:
        if at in starts and at + len(quote) in ends:
            return ""
        at = clause.text.find(quote, at + 1)
    return "the quote is not whole sentences: quote from the first to the last word of a sentence"


def _edges(clause: ClauseExcerpt) -> tuple[set[int], set[int]]:
    starts, ends, at = {0}, {len(clause.text)}, 0
    for sentence in clause.sentences:
        found = clause.text.find(sentence, at)
        if found < 0 or not sentence:
            continue
        at = found + len(sentence)
        starts.add(found)
        ends.add(at)
    return starts, ends
