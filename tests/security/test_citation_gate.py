"""Attacks on the citation gate: every false quote and every false claim over a true quote is caught.

The corpus is the sample bank's policies. Each corruption is applied to every clause it fits, and
the same clause unchanged has to pass, so that a gate that refuses everything would fail here.
"""

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.contracts.clause import Clause
from casewright.contracts.recommendation import Citation, VerifiedCitation
from casewright.corpus.sentences import sentences
from casewright.drafts.gate import check
from casewright.drafts.values import values_in
from tests.unit.drafts.library import (
    cite,
    clauses,
    context,
    finding,
    in_force,
    judged,
    problems_of,
    recommendation,
    superseded,
)

Change = Callable[[str], str]


def substituted(pattern: str, new: str | Callable[[re.Match[str]], str]) -> Change:
    return lambda text: re.sub(pattern, new, text, count=1)


def next_number(match: re.Match[str]) -> str:
    return str(int(match[0]) + 1)


CORRUPTIONS: dict[str, Change] = {
    "a number raised": substituted(r"(?<![\w.(])\d+(?![\w.(])", next_number),
    "must into may": substituted(r"\bmust\b", "may"),
    "may into must": substituted(r"\bmay\b", "must"),
    "must into should": substituted(r"\bmust\b", "should"),
    "must left out": substituted(r" must\b", ""),
    "a negation left out": substituted(r" not\b", ""),
    "a negation put in": substituted(r"\b(must|may) (?!not\b)", r"\1 not "),
    "never left out": substituted(r" never\b", ""),
    "unless left out": substituted(r",? unless\b[^.;]*", ""),
    "except left out": substituted(r",? except\b[^.;,]*", ""),
    "only left out": substituted(r" only\b", ""),
    "a leading condition left out": lambda text: re.sub(r"^If [^,]*, ", "", text) if text.startswith("If ") else text,
    "business days into calendar days": substituted(r"business day", "calendar day"),
    "calendar days into business days": substituted(r"calendar day", "business day"),
    "a Cyrillic letter": substituted(r"(?<=\w)a(?=\w)", "\u0430"),
    "a Greek letter": substituted(r"(?<=\w)o(?=\w)", "\u03bf"),
    "a zero-width space": substituted(r"(?<=\w)(?=\w)", "\u200b"),
    "a soft hyphen": substituted(r"(?<=\w)(?=\w)", "\u00ad"),
    "a right-to-left override": substituted(r" ", " \u202e"),
    "a word joiner": substituted(r"(?<=\w)(?=\w)", "\u2060"),
    "a variation selector": substituted(r"(?<=\w)(?=\w)", "\ufe0f"),
    "a tag character": substituted(r"(?<=\w)(?=\w)", "\U000e0061"),
}
ONLY_IN_QUOTES: dict[str, Change] = {
    "two words swapped": substituted(r"\b(\w+) (\w+) (\w+)\b", r"\3 \2 \1"),
    "the last word cut": lambda text: text.rsplit(" ", 1)[0],
    "the first word cut": lambda text: text.partition(" ")[2],
    "a sentence put in": lambda text: text + " The bank waives all its rights.",
    "an ellipsis": substituted(r" \w+ \w+ ", " ... "),
}
"""Harmless or no claim at all in a paraphrase, but never in a quote."""


def fitting(change: Change) -> list[tuple[Clause, str]]:
    """Sentences of clauses in force with this corruption, where it changes their words."""
    found: list[tuple[Clause, str]] = []
    for clause in in_force():
        for sentence in sentences(clause.text):
            changed = change(sentence)
            if changed.casefold().split() != sentence.casefold().split():
                found.append((clause, changed))
    return found


@pytest.mark.proves("C2", "A6")
@pytest.mark.parametrize("name", [*CORRUPTIONS, *ONLY_IN_QUOTES])
def test_every_corrupted_quote_is_caught(name: str) -> None:
    attacks = fitting((CORRUPTIONS | ONLY_IN_QUOTES)[name])
    assert attacks
    passed = [quote for clause, quote in attacks if not judged(finding(quote, cite(clause, quote))).problems]
    assert passed == []


@pytest.mark.proves("C2")
@pytest.mark.parametrize("name", CORRUPTIONS)
def test_every_corrupted_claim_over_a_true_quote_is_caught(name: str) -> None:
    attacks = fitting(CORRUPTIONS[name])
    assert attacks
    passed = [claim for clause, claim in attacks if not judged(finding(claim, cite(clause))).problems]
    assert passed == []


@pytest.mark.proves("C2", "A6")
def test_no_verbatim_quote_is_blocked() -> None:
    blocked: list[tuple[str, tuple[str, ...]]] = []
    for clause in in_force():
        for claim in (clause.text, *sentences(clause.text)):
            for quote in {claim, clause.text}:
                problems = judged(finding(claim, cite(clause, quote))).problems
                blocked += [(claim, problems)] if problems else []
    assert len(in_force()) >= 300
    assert blocked == []


@pytest.mark.proves("C2")
def test_two_quotes_said_one_after_the_other_are_not_blocked() -> None:
    for first, second in zip(in_force(), in_force()[1:], strict=False):
        claim = f"{first.text} {second.text}"
        assert judged(finding(claim, cite(first), cite(second))).problems == ()


@pytest.mark.proves("C2")
def test_superseded_future_draft_and_withdrawn_text_is_caught() -> None:
    old = superseded()
    assert len(old) >= 100
    assert [clause.clause_id for clause in old if not judged(finding(clause.text, cite(clause))).problems] == []


@pytest.mark.proves("C2", "A6")
def test_a_quote_from_another_passage_than_it_names_is_caught() -> None:
    found = in_force()
    for clause, other in zip(found, found[7:], strict=False):
        if clause.text == other.text:
            continue
        wrong = cite(other, clause.text)
        assert judged(finding(clause.text, wrong)).problems
        assert judged(finding(clause.text, wrong.model_copy(update={"sha256": clause.sha256}))).problems


@pytest.mark.proves("C2")
def test_a_claim_beside_a_true_quote_of_something_else_is_caught() -> None:
    found = in_force()
    pairs = [(one, two) for step in (1, 5, 40) for one, two in zip(found, found[step:], strict=False)]
    passed = [
        (claimed.text, quoted.text)
        for claimed, quoted in pairs
        if claimed.text not in quoted.text and not judged(finding(claimed.text, cite(quoted))).problems
    ]
    assert len(pairs) >= 900
    assert passed == []


@pytest.mark.proves("C2")
@pytest.mark.parametrize(
    "fabricated",
    [
        {"document_id": "hl-invented"},
        {"version": "1999.1"},
        {"label": "99.9"},
        {"sha256": "0" * 64},
        {"quote": "The bank must always pay."},
        {"quote": ""},
        {"quote": " "},
    ],
)
def test_a_fabricated_citation_is_caught(fabricated: dict[str, str]) -> None:
    for clause in in_force()[:40]:
        report = judged(finding(clause.text, cite(clause, **fabricated)))
        assert report.problems
        assert [citation.verified for citation in report.citations] == [False]


@pytest.mark.proves("C2")
def test_a_clause_that_this_run_has_not_retrieved_is_caught() -> None:
    clause = in_force()[0]
    others = frozenset(clauses()) - {clause.clause_id}
    report = judged(finding(clause.text, cite(clause)), within=context(retrieved=others))
    assert "has not retrieved" in report.problems[0]
    assert report.citations[0].verified is False
    assert judged(finding(clause.text, cite(clause)), within=context(retrieved=frozenset[str]())).problems


@pytest.mark.proves("C2")
def test_a_verifier_that_answers_about_another_citation_proves_nothing() -> None:
    first, second = in_force()[:2]

    def verify(_citation: Citation) -> VerifiedCitation:
        return VerifiedCitation(**cite(second).model_dump(), verified=True)

    report = judged(finding(first.text, cite(first)), within=context(verify=verify))
    assert "another citation" in report.problems[0]


@pytest.mark.proves("C2")
@settings(max_examples=150, deadline=None)
@given(number=st.integers(0, 10**9), unit=st.sampled_from(["", " days", " business days", "%", " USD", " months"]))
def test_no_number_gets_in_that_is_not_in_the_quote(number: int, unit: str) -> None:
    clause = next(one for one in in_force() if "business days" in one.text)
    claim = f"{clause.text.rstrip('.')} {number}{unit}."
    stated = values_in(f"{number}{unit}") <= values_in(clause.text)
    assert stated or judged(finding(claim, cite(clause))).problems


RULE = "The bank must credit the account within 10 business days, and may ask for the receipt."
EXCUSE = "The bank must credit the account within 10 business days unless the customer has not answered."


@pytest.mark.proves("C2")
@pytest.mark.parametrize(
    ("claim", "quote"),
    [
        ("The bank may credit the account within 10 business days.", RULE),
        ("The bank must ask for the receipt.", RULE),
        ("The bank must not credit the account within 10 business days.", RULE),
        ("The bank can't credit the account within 10 business days.", RULE),
        ("The bank is required to ask for the receipt.", RULE),
        ("The bank is prohibited from asking for the receipt.", RULE),
        ("The bank should credit the account.", RULE),
        ("The bank will credit the account.", RULE),
        ("The bank must credit the account within ten calendar days.", RULE),
        ("The bank must credit the account within 10 days.", RULE),
        ("The bank must credit the account within eleven business days.", RULE),
        ("The bank must credit the account within two weeks.", RULE),
        ("The bank must credit the account within 10%.", RULE),
        ("The bank must credit $10 to the account.", RULE),
        ("The bank must credit half the account within 10 business days.", RULE),
        ("The bank must credit the account twice within 10 business days.", RULE),
        ("The bank must credit the account within \u0661\u0662 business days.", RULE),
        ("The bank must credit the account within 10\u00b2 business days.", RULE),
        ("The bank must only credit the account within 10 business days.", RULE),
        ("The bank must never credit the account.", RULE),
        ("The bank must credit the account without asking for the receipt.", RULE),
        ("The b\u0430nk must credit the account within 10 business days.", RULE),
        ("The bank m\u0251y ask for the receipt.", RULE),
        ("The bank must credit the account within 10 business days.", EXCUSE),
        ("Credit is due within 10 business days.", RULE + " No credit is due within 10 business days to a merchant."),
        ("The customer has answered.", EXCUSE),
        ("Rosa is to be dismissed for stealing from the vault.", RULE),
        ("On March 2, 2026 the bank must credit the account.", RULE.replace("within", "on May 2, 2026 or within")),
    ],
)
def test_a_claim_that_turns_the_rule_is_caught(claim: str, quote: str) -> None:
    assert problems_of(claim, [quote])
    assert problems_of(quote, [quote]) == ()


@pytest.mark.proves("C2")
def test_one_bad_finding_is_enough_and_all_problems_are_told() -> None:
    first, second = in_force()[:2]
    good = finding(first.text, cite(first))
    bad = finding("The bank must pay 17 USD.", cite(second, "An invented sentence."), facts={"case/none": "1"})
    report = check(recommendation(good, bad, finding("It is so.")), context=context())
    assert {problem.partition(":")[0] for problem in report.problems} == {"finding 2", "finding 3"}
    assert len(report.problems) >= 5
    assert [citation.verified for citation in report.citations] == [True, False]
