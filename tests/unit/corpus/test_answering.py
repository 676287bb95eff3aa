"""The choice of sentences: what is asked for is preferred to what merely came first."""

import datetime as dt

import pytest

from casewright.canonical import sha256_text
from casewright.contracts.clause import ClauseHit, SearchResult
from casewright.corpus.answering import select_answer

ASKED = "When does the temporary exception for estimates expire?"
WITHOUT_TIME = "The temporary exception for estimates expires as the list says."


def hit(rank: int, text: str) -> ClauseHit:
    return ClauseHit(
        clause_id=f"d@1#{rank}",
        document_id="d",
        version="1",
        label=str(rank),
        title="Estimates",
        heading="Temporary exception",
        text=text,
        sha256=sha256_text(text),
        parents=(),
        position=rank,
        effective_from=dt.date(2020, 1, 1),
        effective_to=None,
        status="published",
        score=1.0 / rank,
        rank=rank,
    )


def found(*texts: str) -> SearchResult:
    hits = tuple(hit(rank, text) for rank, text in enumerate(texts, start=1))
    return SearchResult(hits=hits, index_version="i", as_of=dt.date(2026, 1, 1), sufficient=True)


@pytest.mark.proves("A6")
@pytest.mark.parametrize(
    "timed",
    [
        "The temporary exception for estimates expires on July 21, 2015.",
        "The temporary exception for estimates expires after 30 minutes.",
        "The temporary exception for estimates expires on the 36th day.",
        "The temporary exception for estimates expires after two calendar years.",
    ],
)
def test_a_date_or_a_span_answers_when_before_a_better_hit_without_one(timed: str) -> None:
    assert select_answer(ASKED, found(WITHOUT_TIME, timed), limit=1)[0].quote == timed
    untimed = "The temporary exception for estimates expires in good order."
    assert select_answer(ASKED, found(WITHOUT_TIME, untimed), limit=1)[0].quote == WITHOUT_TIME
