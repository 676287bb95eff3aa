"""Exact quotes: verbatim ones pass, edited ones never do."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from casewright.canonical import sha256_text
from casewright.contracts.clause import Clause
from casewright.contracts.recommendation import Citation
from casewright.corpus.citations import fold, is_whole_quote, verify_quote
from casewright.corpus.clauses import ParsedClause
from casewright.corpus.documents import parse_document
from casewright.corpus.sentences import sentences

SAMPLE = Path(__file__).resolve().parents[3] / "casewright" / "sample"
RULE = (
    "Ten-day period. An institution must decide within 10 business days (see 15 U.S.C. 1693f) unless the "
    "consumer was late. It may take 45 days under § 1005.11(c)(2), e.g. for a “foreign” transfer."
)


@pytest.mark.proves("A6")
def test_sentences_know_abbreviations_and_section_numbers() -> None:
    assert len(sentences(RULE)) == 3
    assert sentences("1. This form is a model. See appendix B.") == ("1. This form is a model.", "See appendix B.")


@settings(deadline=None)
@given(st.text(max_size=400))
def test_sentences_are_verbatim_slices_in_order(text: str) -> None:
    start = 0
    for sentence in sentences(text):
        start = text.index(sentence, start) + len(sentence)
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())


@pytest.mark.proves("A6", "C2")
@pytest.mark.parametrize(
    "quote",
    [
        RULE,
        sentences(RULE)[1],
        " ".join(sentences(RULE)[1:]),
        sentences(RULE)[2].replace("“", '"').replace("”", '"'),
        sentences(RULE)[1].upper(),
        sentences(RULE)[1].replace(" ", "\n  "),
    ],
)
def test_whole_sentences_pass_whatever_their_space_quote_marks_and_case(quote: str) -> None:
    assert is_whole_quote(quote, RULE)


@pytest.mark.proves("A6", "C2")
@pytest.mark.parametrize(
    "quote",
    [
        "",
        " ",
        "An institution must decide within 10 business days (see 15 U.S.C. 1693f).",
        "An institution must decide within 10 business days",
        f"{sentences(RULE)[0]} {sentences(RULE)[2]}",
        sentences(RULE)[1].replace("10", "1０0"),
        sentences(RULE)[1].replace("must", "mu\u200bst"),
        sentences(RULE)[1].replace("must", "muѕt"),
        sentences(RULE)[1].replace("-", "–").replace("must", "may"),
    ],
)
def test_anything_less_or_other_is_refused(quote: str) -> None:
    assert not is_whole_quote(quote, RULE)


@settings(deadline=None)
@given(st.text(max_size=200), st.text(max_size=200))
def test_only_texts_that_fold_alike_verify_as_whole_clauses(one: str, other: str) -> None:
    assume(fold(one) != fold(other) and len(sentences(other)) <= 1)
    assert not is_whole_quote(one, other)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def clause_of(parsed: ParsedClause) -> Clause:
    return Clause(
        clause_id=f"d@1#{parsed.label}",
        document_id="d",
        version="1",
        label=parsed.label,
        title="t",
        heading=parsed.heading,
        text=parsed.text,
        sha256=parsed.sha256,
        parents=parsed.parents,
        position=parsed.position,
        effective_from=dt.date(2020, 1, 1),
        effective_to=None,
        status="published",
    )


def cite(clause: Clause, quote: str) -> Citation:
    return Citation(document_id="d", version="1", label=clause.label, quote=quote, sha256=clause.sha256)


@pytest.mark.proves("A6")
def test_a_changed_clause_is_noticed_by_its_hash() -> None:
    parsed = parse_document(_DOCUMENT, tenant="t").clauses[0]
    old = cite(clause_of(parsed), parsed.text).model_copy(update={"sha256": sha256_text("what it said before")})
    verdict = verify_quote(old, clause_of(parsed))
    assert not verdict.verified
    assert "hash" in verdict.problem


@pytest.mark.proves("A6")
def test_a_citation_of_another_clause_or_version_is_refused() -> None:
    parsed = parse_document(_DOCUMENT, tenant="t").clauses[0]
    for change in ({"label": "9.9"}, {"version": "2"}, {"document_id": "e"}):
        verdict = verify_quote(cite(clause_of(parsed), parsed.text).model_copy(update=change), clause_of(parsed))
        assert not verdict.verified


_DOCUMENT = b"""---
title: T
document_id: d
version: '1'
effective_from: 2020-01-01
status: published
---

**1** A rule.
"""


def _number(quote: str) -> str:
    return re.sub(r"\d+", lambda match: str(int(match.group()) + 1), quote, count=1)


def _modal(quote: str) -> str:
    for old, new in (("must", "may"), ("shall", "may"), ("may", "must")):
        changed = re.sub(rf"\b{old}\b", new, quote, count=1)
        if changed != quote:
            return changed
    return quote


def _negation(quote: str) -> str:
    return re.sub(r"\b(not|no|never) ", "", quote, count=1)


def _word(quote: str) -> str:
    words = quote.split(" ")
    at = len(words) // 2
    return " ".join([*words[:at], "otherwise", *words[at + 1 :]])


def _unless(quote: str) -> str:
    return re.sub(r",? (unless|except|provided that|if) [^.;:]+", "", quote, count=1)


def _truncated(quote: str) -> str:
    return quote[: len(quote) * 2 // 3].rstrip()


def _look_alike(quote: str) -> str:
    return quote.replace("a", "\u0430", 1)


def _invisible(quote: str) -> str:
    middle = len(quote) // 2
    return f"{quote[:middle]}\u200b{quote[middle:]}"


def _swapped(quote: str) -> str:
    words = quote.split(" ")
    return " ".join([*words[:-2], words[-1], words[-2]])


EDITS: Sequence[Callable[[str], str]] = (
    _number,
    _modal,
    _negation,
    _word,
    _unless,
    _truncated,
    _look_alike,
    _invisible,
    _swapped,
)


def corrupted(clauses: Sequence[ParsedClause]) -> tuple[int, Counter[str]]:
    """How many whole sentences were quoted, each of which passed, and how many edits of each kind, each caught."""
    quotes = [(clause, sentence) for clause in clauses for sentence in sentences(clause.text) if len(sentence) > 30]
    caught = Counter[str]()
    for place, (parsed, quote) in enumerate(quotes):
        clause = clause_of(parsed)
        assert verify_quote(cite(clause, quote), clause).verified, quote
        for edit in EDITS:
            edited = edit(quote)
            if fold(edited) == fold(quote):
                continue
            assert not verify_quote(cite(clause, edited), clause).verified, (edit.__name__, edited)
            caught[edit.__name__] += 1
        other = clause_of(quotes[place - 1][0])
        if fold(quote) not in map(fold, sentences(other.text)):
            assert not verify_quote(cite(other, quote), other).verified, "a quote of another clause"
            caught["of another clause"] += 1
    return len(quotes), caught


@pytest.mark.proves("A6", "C2")
def test_every_edit_of_the_sample_policies_is_caught_and_no_verbatim_quote_is_blocked() -> None:
    content = (SAMPLE / "harborline" / "documents" / "hl-error-resolution-2026.1.md").read_bytes()
    quotes, caught = corrupted(parse_document(content, tenant="harborline").clauses)
    assert quotes > 40
    assert len(caught) == len(EDITS) + 1


@pytest.mark.thorough
@pytest.mark.timeout(240)
@pytest.mark.proves("A6", "C2")
def test_every_edit_of_real_quotes_is_caught_and_no_verbatim_quote_is_blocked(shared: Path) -> None:
    clauses: list[ParsedClause] = []
    for name in ("reg-1005-2016-24506.md", "reg-1002-2016-16301.md"):
        content = (shared / "corpora" / "us-consumer-finance" / name).read_bytes()
        clauses += parse_document(content, tenant="us").clauses
    quotes, caught = corrupted(clauses)
    assert quotes >= 3_000
    assert len(caught) == len(EDITS) + 1
    assert min(caught.values()) > 100
    assert caught.total() > 20_000
