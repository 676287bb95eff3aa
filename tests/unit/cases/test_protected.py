"""What protection knows of a case: its people in order, its texts, and what may never leave."""

import json
from typing import Any

import pytest

from casewright.cases.protected import knowledge_of
from casewright.config import app_root
from casewright.contracts.case import CaseFile
from casewright.models.protection.known import KnownValue
from casewright.models.protection.placeholders import Placeholders

FILE = app_root() / "casewright" / "sample" / "harborline" / "cases.json"


def case(case_id: str = "HL-2026-0001", **changes: Any) -> CaseFile:
    [document] = [one for one in json.loads(FILE.read_text(encoding="utf-8")) if one["case_id"] == case_id]
    return CaseFile.model_validate_json(json.dumps({**document, **changes}))


def test_parties_come_first_then_those_who_are_paid_then_those_who_wrote() -> None:
    known = knowledge_of(case(), "1")
    assert known.people[:3] == (
        KnownValue(kind="PERSON", text="Marisol Ingram"),
        KnownValue(kind="ORGANISATION", text="Cascade Electronics"),
        KnownValue(kind="ORGANISATION", text="Northfoot Shoes"),
    )
    assert KnownValue(kind="ORGANISATION", text="Tidewater Coffee") in known.people
    assert "Disputes team" not in {one.text for one in known.people}


@pytest.mark.proves("F7")
@pytest.mark.parametrize("change", [{"sealed": True}, {"classification": "restricted"}])
def test_evidence_that_is_sealed_or_restricted_is_told_from_other_text(change: dict[str, Any]) -> None:
    item = {
        "evidence_id": "memo-9",
        "kind": "investigation_note",
        "title": "Memo of counsel on the branch",
        "text": "The manager of the branch is under investigation.",
    }
    known = knowledge_of(case(evidence=[{**item, **change}]), "1")
    assert known.carries_withheld("so  THE MANAGER of the branch is under\ninvestigation.")
    assert known.carries_withheld('{"path": "evidence/memo-9/kind"}')
    assert not known.carries_withheld("The branch is open.")
    assert not knowledge_of(case(evidence=[item]), "1").carries_withheld("evidence/memo-9")


@pytest.mark.proves("F7")
def test_placeholders_are_the_same_in_every_process_that_knows_the_case() -> None:
    known = knowledge_of(case(narrative="I am at 415-555-0132, or 503-555-0199."), "1")
    first, second = (Placeholders(known.people, known.texts) for _ in range(2))
    second.redact("503-555-0199 first")
    assert first.redact("503-555-0199, 415-555-0132") == second.redact("503-555-0199, 415-555-0132")
    assert first.redact("415-555-0132") == "[PHONE_1]"
