"""What a claim may say on the strength of facts, quotes and the action; and what it may not."""

import pytest

from casewright.drafts.gate import check
from tests.unit.drafts.library import (
    FACTS,
    cite,
    context,
    finding,
    in_force,
    judged,
    problems_of,
    recommendation,
)

RULE = "The bank must credit the account within 10 business days, and may ask for the receipt."
T1 = {path: FACTS[path] for path in FACTS if path.startswith("transactions/t1")}


@pytest.mark.proves("C2")
@pytest.mark.parametrize(
    "claim",
    [
        "Transaction t1: 125.50 USD on 2026-03-02 at point_of_sale.",
        "Transaction t1 was posted on March 2, 2026 for $125.50.",
        "Transaction t1 was posted on 2 March 2026.",
        "Disputed is t1: true.",
    ],
)
def test_a_plain_statement_of_facts_needs_no_citation(claim: str) -> None:
    assert problems_of(claim, facts=T1) == ()


@pytest.mark.proves("C2")
@pytest.mark.parametrize(
    "claim",
    [
        "Transaction t1 must be refunded.",
        "Transaction t1 may not be fraud.",
        "Transaction t1 is not disputed.",
        "Transaction t1: 126.50 USD.",
        "Transaction t1: 125.50 EUR.",
        "Transaction t1 is 10 days old.",
        "Transaction t2: 125.50 USD.",
        "Transaction t1 was posted on March 3, 2026.",
        "Transaction t1 was posted on 02.03.2026.",
        "Account 4411 was charged.",
        "Refund is required for t1.",
        "Only t1 is disputed.",
    ],
)
def test_a_statement_that_says_more_than_its_facts_is_refused(claim: str) -> None:
    assert problems_of(claim, facts=T1)


@pytest.mark.proves("C2")
def test_a_customers_must_is_no_rule() -> None:
    letter = {"communications/c1/text": FACTS["communications/c1/text"]}
    assert problems_of("The bank must refund 999.99 within 3 days.", facts=letter)
    assert problems_of("The bank must refund 999.99 within 3 days.", [RULE], facts=letter)


@pytest.mark.proves("C2")
@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("transactions/t1/amount_minor", "12551"),
        ("transactions/t1/amount_minor", "12550 "),
        ("transactions/t9/amount_minor", "12550"),
        ("", ""),
    ],
)
def test_a_fact_that_does_not_resolve_to_exactly_its_value_is_refused(path: str, value: str) -> None:
    problems = problems_of(RULE, [RULE], facts={path: value})
    assert len(problems) == 1
    assert "fact" in problems[0]


@pytest.mark.proves("C2")
@pytest.mark.parametrize(
    "claim",
    [
        "The bank may ask for the receipt.",
        "Within ten (10) business days the bank must credit the account.",
        "Within ten business days the bank must credit the account of 125.50 USD, received 2026-03-04.",
        "The account must be credited within 10 business days.",
    ],
)
def test_a_faithful_retelling_passes(claim: str) -> None:
    assert problems_of(claim, [RULE]) == ()


@pytest.mark.proves("C2")
def test_the_proposed_action_may_be_named_beside_its_rules() -> None:
    claim = "Proposed action: issue a provisional credit of 125.50 USD."
    facts = {"transactions/t1/amount_minor": "12550"}
    exception = RULE.replace("account", "account with a provisional credit") + " Unless it is closed."
    assert problems_of(claim, [RULE, exception], facts=facts) == ()
    assert problems_of(claim.replace("125.50", "925.50"), [RULE], facts=facts)


@pytest.mark.proves("C2")
def test_a_lead_in_and_its_item_are_one_sentence() -> None:
    quotes = ["When the investigation is still open, the bank must:", "credit the disputed amount; and"]
    assert problems_of("The bank must credit the disputed amount when the investigation is still open.", quotes) == ()
    assert problems_of("The bank may credit the disputed amount when the investigation is still open.", quotes)


@pytest.mark.proves("C2")
def test_the_cited_clause_may_be_named_but_its_label_is_no_number_of_the_rule() -> None:
    clause = next(one for one in in_force() if "(" in one.label and len(one.text) > 40)
    assert judged(finding(f"{clause.label} {clause.text}", cite(clause))).problems == ()
    assert problems_of("Under clause 1.1, the bank may ask for the receipt.", [RULE]) == ()
    assert problems_of("The bank may ask for the receipt for 1.1%.", [RULE])


@pytest.mark.proves("C2")
@pytest.mark.parametrize("place", ["reason", "question", "claim", "fact", "model"])
@pytest.mark.parametrize("hidden", ["\u200b", "\u202e", "\u2066", "\u0000", "\u00ad", "\ufeff", "\u3164", "\ue000"])
def test_characters_that_cannot_be_seen_are_refused_everywhere(place: str, hidden: str) -> None:
    clause = in_force()[0]
    made = recommendation(finding(clause.text, cite(clause)))
    text = f"Pay{hidden} it"
    changed = {
        "reason": made.model_copy(update={"action": made.action.model_copy(update={"reason": text})}),
        "question": made.model_copy(update={"open_questions": (text,)}),
        "claim": recommendation(finding(clause.text + hidden, cite(clause))),
        "fact": recommendation(finding(clause.text, cite(clause), facts={"case/received_on": text})),
        "model": made.model_copy(update={"model": text}),
    }[place]
    problems = check(changed, context=context()).problems
    assert any(f"U+{ord(hidden):04X}" in problem for problem in problems)
    assert check(made, context=context()).problems == ()


@pytest.mark.proves("C2")
@pytest.mark.parametrize("claim", ["", "  ", "\n"])
def test_an_empty_claim_is_refused(claim: str) -> None:
    assert any("empty" in problem for problem in problems_of(claim, [RULE]))


@pytest.mark.proves("C1", "C2")
def test_a_finding_without_citation_and_fact_is_refused() -> None:
    assert "neither a citation nor a fact" in problems_of("The customer is right.")[0]


@pytest.mark.proves("C2")
def test_names_from_the_case_may_have_letters_beyond_ascii_and_others_may_not() -> None:
    facts = {"parties/p1/name": "José Ñandú"}
    known = context(resolve_fact=facts.get)
    assert judged(finding("Party p1 is José Ñandú.", facts=facts), within=known).problems == ()
    assert judged(finding("Party p1 is J\u043esé Ñandú.", facts=facts), within=known).problems
