"""BM25 in memory equals its definition, over the visible clauses only."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.corpus.lexicon import K1, REFERENCE_LENGTH, UNKNOWN, B, Lexicon, idf, term_hash, term_hashes

TERMS = ("credit", "debit", "notice", "error", "limit")
CLAUSES = st.lists(st.lists(st.sampled_from(TERMS), max_size=12), min_size=1, max_size=8)


def lexicon(clauses: list[list[str]]) -> Lexicon:
    hashed = np.array([term_hash(term) for clause in clauses for term in clause], dtype=np.int32)
    return Lexicon.build(hashed, np.cumsum([0, *map(len, clauses)]))


def bm25(clauses: list[list[str]], seen: list[bool], term: str, row: int) -> float:
    """The formula, written out."""
    visible = [clause for clause, shown in zip(clauses, seen, strict=True) if shown]
    having = sum(term in clause for clause in visible)
    idf = math.log(1 + (len(visible) - having + 0.5) / (having + 0.5))
    frequency = clauses[row].count(term)
    return idf * frequency * (K1 + 1) / (frequency + K1 * (1 - B + B * len(clauses[row]) / REFERENCE_LENGTH))


@pytest.mark.proves("A2")
@settings(deadline=None)
@given(CLAUSES, st.data())
def test_scores_follow_the_formula_over_the_visible_clauses(clauses: list[list[str]], data: st.DataObject) -> None:
    seen = data.draw(st.lists(st.booleans(), min_size=len(clauses), max_size=len(clauses)))
    built = lexicon(clauses)
    mask = np.array(seen)
    for term in TERMS:
        number = built.number(term)
        rows, saturation = built.postings(number, mask, slice(0, len(clauses)))
        scores = dict(zip(rows.tolist(), (idf(len(rows), sum(seen)) * saturation).tolist(), strict=True))
        expected = {row: bm25(clauses, seen, term, row) for row, shown in enumerate(seen) if shown}
        assert scores == pytest.approx({row: score for row, score in expected.items() if score}, rel=1e-5)
        assert built.has(number, np.arange(len(clauses))).tolist() == [term in clause for clause in clauses]


@settings(deadline=None)
@given(CLAUSES)
def test_postings_are_those_of_the_range_alone(clauses: list[list[str]]) -> None:
    built, everything = lexicon(clauses), np.ones(len(clauses), dtype=np.bool_)
    for term in TERMS:
        rows, _ = built.postings(built.number(term), everything, slice(1, len(clauses)))
        assert rows.tolist() == [row for row, clause in enumerate(clauses) if term in clause and row >= 1]


@settings(deadline=None)
@given(CLAUSES)
def test_tokens_of_a_clause_are_kept_in_reading_order(clauses: list[list[str]]) -> None:
    built = lexicon(clauses)
    tokens, owners = built.token_lists(np.arange(len(clauses)))
    hashes = built.hashes[tokens].tolist()
    assert hashes == [term_hash(term) for clause in clauses for term in clause]
    assert owners.tolist() == [row for row, clause in enumerate(clauses) for _ in clause]
    assert built.distinct.tolist() == [len(set(clause)) for clause in clauses]


def test_a_word_that_no_clause_has_is_unknown_and_harmless() -> None:
    built = lexicon([["credit"], []])
    assert built.number("zebra") == UNKNOWN
    assert [part.tolist() for part in built.postings(UNKNOWN, np.ones(2, dtype=np.bool_), slice(0, 2))] == [[], []]
    assert built.has(UNKNOWN, np.arange(2)).tolist() == [False, False]


def test_an_index_without_a_word_can_be_built_and_asked() -> None:
    built = lexicon([[], []])
    assert built.number("credit") == UNKNOWN
    assert built.distinct.tolist() == [0, 0]


@given(st.text(max_size=60))
def test_terms_fit_the_column_whatever_the_text(text: str) -> None:
    assert all(-(2**31) <= each < 2**31 for each in term_hashes(text))


def test_forms_of_a_word_are_one_term_and_stop_words_none() -> None:
    assert term_hashes("The investigations") == term_hashes("investigation of the")
    assert len(term_hashes("The investigations")) == 1


def test_more_rows_than_are_inverted_at_once_give_the_same_postings() -> None:
    rows = 8_192 + 300
    clauses = [[TERMS[row % 5], TERMS[row % 3], TERMS[row % 5]] for row in range(rows)]
    built = lexicon(clauses)
    for term in TERMS:
        found, saturation = built.postings(built.number(term), np.ones(rows, dtype=np.bool_), slice(0, rows))
        assert found.tolist() == [row for row, clause in enumerate(clauses) if term in clause]
        assert len(set(saturation.tolist())) <= 3
    assert built.distinct.tolist() == [len(set(clause)) for clause in clauses]
