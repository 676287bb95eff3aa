"""The sample cases: each is valid, each shows one thing, and the rules propose what they should."""

from collections.abc import Mapping

import pytest

from casewright.cases.facts import resolve_fact
from casewright.contracts.case import CaseFile, CaseType, Trust
from tests.unit.sample.rulebook import Rulebook

EXPECTED = {
    "HL-2025-0301": ("no_action", 0, "low", ["case_closed"]),
    "HL-2025-0377": ("no_action", 0, "low", ["complaint_not_upheld"]),
    "HL-2025-0398": ("deny_claim", 0, "medium", ["no_error_found"]),
    "HL-2025-0412": ("issue_final_credit", 13640, "low", ["error_confirmed", "amount_in_dispute", "customer_share"]),
    "HL-2026-0001": ("issue_provisional_credit", 50875, "medium", ["open_unauthorized_transfer", "amount_in_dispute"]),
    "HL-2026-0002": (
        "issue_provisional_credit", 55000, "medium",
        ["open_unauthorized_transfer", "amount_in_dispute", "amount_withheld"],
    ),
    "HL-2026-0003": ("issue_provisional_credit", 57500, "medium", ["open_unauthorized_transfer", "amount_in_dispute"]),
    "HL-2026-0004": ("issue_provisional_credit", 132410, "medium", ["open_unauthorized_transfer", "amount_in_dispute"]),
    "HL-2026-0005": ("request_information", 0, "low", ["evidence_missing"]),
    "HL-2026-0006": ("escalate", 0, "medium", ["evidence_contradicted"]),
    "HL-2026-0007": ("issue_provisional_credit", 48020, "low", ["open_unauthorized_transfer", "amount_in_dispute"]),
    "HL-2026-0008": ("deny_claim", 0, "medium", ["late_notice"]),
    "HL-2026-0009": ("close_duplicate", 0, "low", ["duplicate_claim"]),
    "HL-2026-0010": ("send_adverse_action_notice", 0, "medium", ["notice_due"]),
    "HL-2026-0011": ("issue_final_credit", 30000, "low", ["complaint_upheld", "amount_in_dispute"]),
    "HL-2026-0012": ("issue_final_credit", 31240, "low", ["bank_error", "amount_in_dispute"]),
    "HL-2026-0013": ("issue_provisional_credit", 79900, "medium", ["open_unauthorized_transfer", "amount_in_dispute"]),
    "HL-2026-0014": ("issue_provisional_credit", 64900, "medium", ["open_dispute", "amount_in_dispute"]),
    "HL-2026-0015": ("request_information", 0, "low", ["evidence_missing"]),
    "HL-2026-0016": ("escalate", 0, "medium", ["late_notice_excused"]),
    "HL-2026-0017": ("issue_final_credit", 21840, "low", ["merchant_credit_documented", "amount_in_dispute"]),
    "HL-2026-0018": ("deny_claim", 0, "high", ["late_unauthorized"]),
    "HL-2026-0019": ("escalate", 0, "medium", ["employee_involved"]),
    "MB-2026-0001": ("issue_provisional_credit", 18745, "low", ["open_unauthorized_transfer", "amount_in_dispute"]),
    "MB-2026-0002": ("escalate", 0, "medium", ["no_rule_applies"]),
    "MB-2026-0003": ("issue_final_credit", 32675, "low", ["bank_error", "amount_in_dispute"]),
}  # fmt: skip


def test_the_table_names_every_case(cases: Mapping[str, CaseFile]) -> None:
    assert sorted(cases) == sorted(EXPECTED)
    assert {case.case_type for case in cases.values()} == set(CaseType)


@pytest.mark.proves("B3")
@pytest.mark.parametrize("case_id", EXPECTED)
def test_the_rules_propose_what_the_facts_call_for(
    cases: Mapping[str, CaseFile], rulebook: Rulebook, case_id: str
) -> None:
    proposal = rulebook.judge(cases[case_id])["proposal"]
    found = (proposal["action"], proposal["amount_minor"], proposal["risk"])
    assert (*found, [ground["rule"] for ground in proposal["basis"]]) == EXPECTED[case_id]


@pytest.mark.proves("B3")
def test_a_request_asks_one_question_for_each_missing_item(cases: Mapping[str, CaseFile], rulebook: Rulebook) -> None:
    judged = rulebook.judge(cases["HL-2026-0005"])
    missing = [item for item in judged["report"]["items"] if item["needed"] and item["status"] == "missing"]
    assert [item["id"] for item in missing] == [
        "account_of_events",
        "authentication_log",
        "transaction_record",
        "written_confirmation",
    ]
    questions = judged["proposal"]["questions"]
    assert len(questions) == len(missing)
    for item, question in zip(missing, questions, strict=True):
        assert item["title"] in question
        assert item["why"] in question


@pytest.mark.proves("B3")
def test_every_fact_path_names_something_in_the_case(cases: Mapping[str, CaseFile], rulebook: Rulebook) -> None:
    for case in cases.values():
        for ground in rulebook.judge(case)["proposal"]["basis"]:
            assert ground["facts"], f"{case.case_id} {ground['rule']}"
            for path in ground["facts"]:
                assert resolve_fact(case, path) is not None, f"{case.case_id} {path}"


@pytest.mark.proves("B4")
@pytest.mark.parametrize(
    ("case_id", "counts"),
    [
        ("HL-2026-0001", {"investigation": 10, "investigation_extended": 90, "provisional_credit": 10}),
        ("HL-2026-0002", {"investigation": 10, "investigation_extended": 45, "provisional_credit": 10}),
        ("HL-2026-0003", {"investigation": 20, "investigation_extended": 90, "provisional_credit": 20}),
        ("HL-2026-0004", {"investigation": 10, "investigation_extended": 90, "provisional_credit": 10}),
        ("HL-2026-0010", {"adverse_action_notice": 30}),
        ("HL-2026-0011", {"complaint_acknowledgement": 5, "complaint_answer": 30}),
        ("HL-2026-0014", {"billing_acknowledgement": 30, "billing_resolution": 90}),
        ("MB-2026-0001", {"investigation": 10, "investigation_extended": 90, "provisional_credit": 5}),
    ],
)
def test_the_deadlines_follow_the_kind_of_case(
    cases: Mapping[str, CaseFile], rulebook: Rulebook, case_id: str, counts: dict[str, int]
) -> None:
    deadlines = rulebook.judge(cases[case_id])["parameters"]["deadlines"]
    assert {deadline["id"]: deadline["count"] for deadline in deadlines} == counts


@pytest.mark.proves("B2")
def test_sealed_evidence_changes_nothing_that_the_rules_say(cases: Mapping[str, CaseFile], rulebook: Rulebook) -> None:
    case = cases["HL-2026-0007"]
    open_part = tuple(item for item in case.evidence if not item.sealed)
    assert len(open_part) < len(case.evidence)
    assert rulebook.judge(case) == rulebook.judge(case.model_copy(update={"evidence": open_part}))


def test_hostile_text_is_there_and_is_untrusted(cases: Mapping[str, CaseFile], rulebook: Rulebook) -> None:
    receipt = next(item for item in cases["HL-2026-0013"].evidence if "Ignore all earlier" in item.text)
    letter = cases["HL-2026-0014"].communications[0]
    assert receipt.trust is Trust.UNTRUSTED
    assert letter.trust is Trust.UNTRUSTED
    assert "maintenance mode" in letter.text
    assert rulebook.judge(cases["HL-2026-0013"])["proposal"]["amount_minor"] == 79900


def test_the_long_letter_makes_its_point_in_the_seventh_paragraph(cases: Mapping[str, CaseFile]) -> None:
    letter = cases["HL-2026-0016"].communications[0].text
    assert len(letter.split()) >= 4000
    salutation, *paragraphs = letter.split("\n\n")
    assert salutation.startswith("Dear")
    assert "BP-88213" in paragraphs[6]
    assert "broke my hip" in paragraphs[6]
    assert not any("broke my hip" in text for text in paragraphs[:6] + paragraphs[7:])
    assert len(set(paragraphs)) == len(paragraphs)


def test_the_work_is_shared_as_the_people_are(cases: Mapping[str, CaseFile]) -> None:
    people = {"harborline": {"rosa", "tomas"}, "millbrook": {"lena"}}
    for case in cases.values():
        assert case.tenant is not None
        assert set(case.assigned_to) <= people[case.tenant]
        assert not set(case.assigned_to) & set(case.conflicts)
    assert sum("rosa" in case.assigned_to for case in cases.values()) >= 10
    assert [case.case_id for case in cases.values() if case.conflicts == ("rosa",)] == ["HL-2026-0017"]
