"""Whether hits can answer a question: what more of each sign means, and what is said to be missing."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.canonical import sha256_text
from casewright.contracts.clause import ClauseHit
from casewright.corpus.embedding import default_embedder
from casewright.corpus.sufficiency import ENOUGH, Signs, judge, measure, probability_of
from casewright.corpus.words import read_question

SHARE = st.floats(0, 1)
QUESTION = read_question("When must the lender return the escrow surplus?", default_embedder())


def hit(text: str, *, exact: bool = False) -> ClauseHit:
    return ClauseHit(
        clause_id="rules@1#1.1",
        document_id="rules",
        version="1",
        label="1.1",
        title="Rules",
        heading="Rules",
        text=text,
        sha256=sha256_text(text),
        parents=(),
        position=0,
        effective_from=dt.date(2020, 1, 1),
        effective_to=None,
        status="published",
        score=1.0,
        rank=1,
        exact_reference=exact,
    )


@pytest.mark.proves("A7")
@given(SHARE, SHARE, SHARE, SHARE, SHARE)
def test_more_of_any_sign_never_makes_a_result_less_sufficient(
    single: float, together: float, similarity: float, telling: float, more: float
) -> None:
    signs = Signs(single=single, together=together, similarity=similarity, telling=telling)
    raised = Signs(
        single=max(single, more),
        together=max(together, more),
        similarity=max(similarity, more),
        telling=max(telling, more),
    )
    assert 0.0 <= probability_of(signs) <= probability_of(raised) <= 1.0


@pytest.mark.proves("A7")
def test_a_clause_that_treats_the_question_is_enough_and_one_that_does_not_is_named_as_lacking() -> None:
    treats = judge(QUESTION, [hit("The lender must return an escrow surplus within 30 days.")], 0.9)
    assert treats.sufficient and treats.probability >= ENOUGH and treats.missing == ""
    lacks = judge(QUESTION, [hit("The lender must keep records for two years.")], 0.5)
    assert not lacks.sufficient
    assert "escrow" in lacks.missing and "surplus" in lacks.missing and "lender" not in lacks.missing


@pytest.mark.proves("A7")
def test_no_hit_is_never_enough_and_a_clause_that_was_named_always_is() -> None:
    assert "was found" in judge(QUESTION, [], 1.0).missing
    assert judge(QUESTION, [hit("Unrelated.", exact=True)], 0.0).sufficient


def test_a_question_without_telling_words_is_declined_however_near_a_clause_is() -> None:
    empty = read_question("what is it then", default_embedder())
    verdict = judge(empty, [hit("What it is.")], 1.0)
    assert not verdict.sufficient
    assert "nothing that could be looked up" in verdict.missing


def test_signs_of_a_result_lie_between_nothing_and_everything() -> None:
    signs = measure(QUESTION, [hit("surplus"), hit("escrow")], 0.4)
    assert 0 < signs.single < signs.together < 1
    assert signs.similarity == 0.4
    assert 0 < signs.telling <= 1
