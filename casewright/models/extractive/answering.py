"""Answers `answer.question` with the sentences the corpus chooses, or abstains."""

from casewright.models.excerpt import Quotation
from casewright.models.question import AnswerInput, AnswerOutput, AnswerSentence

_CITATIONS = 3


def answer(value: AnswerInput) -> AnswerOutput:
    """The chosen quotes are the answer; none chosen: an abstention with what was missing."""
    # Imported here because the corpus brings heavy parts that other tasks do not need.
    from casewright.corpus.answering import select_answer

    chosen = select_answer(value.question, value.result, limit=_CITATIONS) if value.result.sufficient else ()
    if not chosen:
        return AnswerOutput(sentences=(), abstained=True, reason=_missing(value))
    quotes = (Quotation(clause_id=f"{one.document_id}@{one.version}#{one.label}", quote=one.quote) for one in chosen)
    sentences = tuple(AnswerSentence(citations=(quote,), text=quote.quote) for quote in quotes)
    return AnswerOutput(sentences=sentences, abstained=False, reason="")


def _missing(value: AnswerInput) -> str:
    missing = value.result.missing.strip()
    return missing[:1_000] if missing else "Nothing in force that you may read answers the question."
