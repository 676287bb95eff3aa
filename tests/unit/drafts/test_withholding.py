"""Of a draft that somebody else's review wrote, a reader gets what they may see of the case."""

import json
from dataclasses import replace

import pytest

from casewright.cases.views import Limit, view
from casewright.config import app_root
from casewright.contracts.case import CaseFile, Classification
from casewright.contracts.decision import DecisionFilters
from casewright.contracts.recommendation import Citation, EvidenceCheck, EvidenceReport
from casewright.drafts.withholding import WITHHELD, Sight, withheld, withheld_evidence
from tests.unit.drafts.library import cite, finding, in_force, recommendation

PLAIN = "The notice was received on 2026-07-07."
OF_SEALED = "The evidence of 2026-07-10 supports the customer."
ALIKE = "The limit is 50.00 USD."
"""Which the rules compute without the sealed evidence as well."""
OF_RULES = "The amount to be credited is 480.20 USD."
NAMED = "Lionel Achterberg did not make the purchases."
COPIED = "It is said that the terminal operator is a suspect of the police."
DIGITS = "The account ending in 5583 was debited."
CLAIMS = {
    PLAIN: {"case/received_on": "2026-07-07"},
    OF_SEALED: {"evidence/e4/received_on": "2026-07-10"},
    ALIKE: {"limits/liability/amount_minor": "5000"},
    OF_RULES: {"outcome/amount_minor": "48020"},
    NAMED: {},
    COPIED: {},
    DIGITS: {},
}


@pytest.fixture(scope="module")
def case() -> CaseFile:
    """A confidential case of which one piece of evidence is sealed."""
    cases = json.loads((app_root() / "casewright" / "sample" / "harborline" / "cases.json").read_text("utf-8"))
    sealed = next(one for one in cases if one["case_id"] == "HL-2026-0007")
    return CaseFile.model_validate_json(json.dumps(sealed | {"classification": "confidential"}))


def sight(case: CaseFile, *, above: Limit, unseals: bool, own: bool = False) -> Sight:
    filters = DecisionFilters(tenant="harborline", labels=(), sealed=unseals)
    computed = {"limits/liability/amount_minor": "5000"}
    seen = view(case, filters=filters, above=above)
    return Sight(case=case, seen=seen, computed=computed, own=own, finds=lambda citation: True)


def shown(case: CaseFile, *, above: Limit, unseals: bool) -> set[str]:
    """The claims that a reader gets as they are."""
    clause = in_force()[0]
    findings = [finding(claim, cite(clause), facts=facts) for claim, facts in CLAIMS.items()]
    draft = recommendation(*findings)
    found = withheld(draft, sight(case, above=above, unseals=unseals))
    assert len(found.summary) == len(CLAIMS)
    for before, after in zip(draft.summary, found.summary, strict=True):
        assert after == before or (after.claim, after.facts) == (WITHHELD, ())
        assert after.citations == before.citations  # rules are for everybody
    return {one.claim for one in found.summary} - {WITHHELD}


def test_who_sees_sealed_evidence_reads_all_but_texts_that_nobody_is_shown(case: CaseFile) -> None:
    assert case.evidence[3].classification is Classification.RESTRICTED
    assert shown(case, above="confidential", unseals=True) == set(CLAIMS) - {COPIED}


def test_sentences_on_sealed_evidence_are_withheld_from_who_does_not_see_it(case: CaseFile) -> None:
    assert shown(case, above="confidential", unseals=False) == {PLAIN, ALIKE, NAMED, DIGITS}


def test_sentences_with_redacted_values_are_withheld_from_who_gets_them_redacted(case: CaseFile) -> None:
    assert shown(case, above="internal", unseals=True) == {PLAIN, ALIKE, OF_SEALED, OF_RULES}


def test_reasons_and_questions_are_withheld_like_sentences(case: CaseFile) -> None:
    draft = recommendation(finding(PLAIN, cite(in_force()[0])), open_questions=(NAMED, "Where was the card?"))
    draft = draft.model_copy(update={"action": draft.action.model_copy(update={"reason": NAMED})})
    found = withheld(draft, sight(case, above="internal", unseals=True))
    assert (found.action.reason, found.open_questions) == (WITHHELD, (WITHHELD, "Where was the card?"))
    whole = withheld(draft, sight(case, above="confidential", unseals=True))
    assert whole == draft


def test_a_short_value_is_told_by_its_spelling(case: CaseFile) -> None:
    """The customer lives in "UT"; the word "or" of a customer in Oregon would hide every other sentence."""
    changed = case.model_copy(update={"parties": (case.parties[0].model_copy(update={"state": "OR"}),)})
    draft = recommendation(
        finding("It was lost or stolen.", cite(in_force()[0])), finding("They moved to OR.", cite(in_force()[0]))
    )
    found = withheld(draft, sight(changed, above="internal", unseals=True))
    assert [one.claim for one in found.summary] == ["It was lost or stolen.", WITHHELD]


def test_the_checklist_names_no_evidence_that_is_not_seen(case: CaseFile) -> None:
    clause = cite(in_force()[0])
    check = EvidenceCheck.model_validate(
        {
            "id": "statement",
            "title": "A statement",
            "why": "It is needed.",
            "clause": {"document_id": clause.document_id, "label": clause.label},
            "status": "present",
            "evidence_ids": ("e1", "e4"),
        }
    )
    report = EvidenceReport(complete=True, items=(check,))
    found = withheld_evidence(report, sight(case, above="confidential", unseals=False))
    assert found.items[0].evidence_ids == ("e1",)
    assert withheld_evidence(report, Sight(case=case, seen=case, finds=lambda citation: True)) == report


def test_a_quote_of_a_rule_is_shown_whatever_words_it_shares_with_the_case(case: CaseFile) -> None:
    clause = in_force()[0]
    changed = case.model_copy(update={"narrative": clause.text})
    draft = recommendation(finding(clause.text, cite(clause)), finding(f"It says: {clause.text}", cite(clause)))
    found = withheld(draft, sight(changed, above="internal", unseals=True))
    assert [one.claim for one in found.summary] == [clause.text, WITHHELD]


def test_a_quote_of_a_rule_that_the_reader_does_not_find_goes_with_its_sentence(case: CaseFile) -> None:
    hidden, plain = in_force()[:2]
    draft = recommendation(finding(hidden.text, cite(hidden), cite(plain)), finding(plain.text, cite(plain)))
    whole = sight(case, above="confidential", unseals=True)

    def finds(citation: Citation) -> bool:
        return citation.label != hidden.label

    found = withheld(draft, replace(whole, finds=finds))
    assert [(one.claim, len(one.citations)) for one in found.summary] == [(WITHHELD, 1), (plain.text, 1)]
    assert withheld(draft, whole) == draft


def test_their_own_draft_is_shown_to_people_but_for_values_that_they_see_no_more(case: CaseFile) -> None:
    draft = recommendation(
        finding(NAMED, cite(in_force()[0])), finding(OF_SEALED, cite(in_force()[0]), facts=CLAIMS[OF_SEALED])
    )
    found = withheld(draft, sight(case, above="internal", unseals=False, own=True))
    assert [one.claim for one in found.summary] == [NAMED, WITHHELD]
    assert found.action == draft.action
