"""Verify a quote against its clause in code: exact, and whole.

Only Unicode compatibility forms, white space, quote marks and case are folded. The quote
must be the whole clause or whole consecutive sentences of it, since a dropped "unless"
passes any looser comparison. There is deliberately *no* fuzzy matching and no model here.
"""

import unicodedata

from casewright.canonical import sha256_text
from casewright.contracts.clause import Clause
from casewright.contracts.recommendation import Citation, VerifiedCitation
from casewright.corpus.sentences import sentences

_QUOTE_MARKS = {ord(mark): "'" for mark in "‘’‚‛′`´"} | {ord(mark): '"' for mark in "“”„‟″«»"}


def fold(text: str) -> str:
    """The text with compatibility forms, white space, quote marks and case folded."""
    marked = text.translate(_QUOTE_MARKS)
    normal = unicodedata.normalize("NFKC", marked).translate(_QUOTE_MARKS)
    return " ".join(unicodedata.normalize("NFKC", normal.casefold()).split())


def is_whole_quote(quote: str, text: str) -> bool:
    """Whether the quote is the whole text or whole consecutive sentences of it."""
    wanted = fold(quote)
    if not wanted:
        return False
    if wanted == fold(text):
        return True
    parts = [fold(sentence) for sentence in sentences(text)]
    for start in range(len(parts)):
        joined = ""
        for part in parts[start:]:
            joined = f"{joined} {part}" if joined else part
            if joined == wanted:
                return True
            if len(joined) > len(wanted):
                break
    return False


def verify_quote(citation: Citation, clause: Clause) -> VerifiedCitation:
    """The citation with the verdict; `problem` says what is wrong and how to mend it."""
    return VerifiedCitation(
        **citation.model_dump(), verified=not (problem := _problem(citation, clause)), problem=problem
    )


def refused(citation: Citation, problem: str) -> VerifiedCitation:
    """The citation as not verified."""
    return VerifiedCitation(**citation.model_dump(), verified=False, problem=problem)


def _problem(citation: Citation, clause: Clause) -> str:
    name = f"{citation.document_id} {citation.version} {citation.label}"
    if (citation.document_id, citation.version, citation.label) != (clause.document_id, clause.version, clause.label):
        return f"{name!r} was compared with {clause.clause_id!r}; cite the clause that the quote is from"
    if sha256_text(clause.text) != clause.sha256:
        return f"the stored text of {name!r} does not match its own hash; ingest the document again"
    if citation.sha256 != clause.sha256:
        return f"the hash of {name!r} is of another text; read the clause again and cite what it says now"
    if is_whole_quote(citation.quote, clause.text):
        return ""
    if fold(citation.quote) and fold(citation.quote) in fold(clause.text):
        return f"the quote from {name!r} is not a whole sentence; quote the whole sentence or the whole clause"
    return f"the quote is not in {name!r}; quote its words exactly"
