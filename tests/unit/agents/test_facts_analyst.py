"""Which facts of a case a recommendation may stand on: typed values, never what somebody wrote."""

import json
from typing import Any

import pytest

from agents.facts_analyst import REDACTED, survey
from tests.integration.graphs.reviews import sample_cases
from tests.unit.agents.scripted import ScriptedToolbox

DEFAULTS: dict[str, Any] = {"narrative": "", "notices": [], "parties": [], "accounts": [], "currency": "USD"}


def toolbox(case: dict[str, Any]) -> ScriptedToolbox:
    """The three answers of the case facts server."""
    return ScriptedToolbox(
        ("get_case", DEFAULTS | case),
        ("list_transactions", {"transactions": case.get("transactions", [])}),
        ("list_evidence", {"evidence": case.get("evidence", [])}),
    )


@pytest.mark.proves("E1", "B6")
@pytest.mark.parametrize("case_id", sorted(sample_cases()))
async def test_no_free_text_of_a_case_becomes_a_fact(case_id: str) -> None:
    case = sample_cases()[case_id]
    tools = toolbox(case)
    facts = await survey(tools)
    assert tools.spent
    assert facts
    assert len({fact.path for fact in facts}) == len(facts)
    said = json.dumps([fact.value for fact in facts])
    outside = [case.get("narrative", "")]
    outside += [item["text"] for item in case.get("communications", [])]
    outside += [item.get("summary", "") for item in case.get("notices", [])]
    outside += [item.get("text", "") for item in case.get("evidence", [])]
    outside += [item["title"] for item in case.get("evidence", []) if item["trust"] == "untrusted"]
    outside += [party["name"] for party in case.get("parties", []) if party["role"] == "customer"]
    assert [text for text in outside if len(text) > 5 and text in said] == []


@pytest.mark.proves("B6")
async def test_of_an_upload_only_its_kind_is_a_fact() -> None:
    case = sample_cases()["HL-2026-0013"]
    facts = {fact.path: fact.value for fact in await survey(toolbox(case))}
    assert facts["evidence/e2/kind"] == "other"
    assert "evidence/e2/title" not in facts
    assert facts["evidence/e3/title"] == "Authorization record"


@pytest.mark.proves("B5")
async def test_a_redacted_value_is_no_fact() -> None:
    case = sample_cases()["HL-2026-0013"]
    hidden = [item | {"title": REDACTED} for item in case["evidence"]]
    paths = {fact.path for fact in await survey(toolbox(case | {"evidence": hidden}))}
    assert "evidence/e3/title" not in paths


@pytest.mark.proves("E1")
async def test_disputed_transactions_are_facts_and_the_others_are_not() -> None:
    facts = await survey(toolbox(sample_cases()["HL-2026-0015"]))
    named = {fact.path.split("/")[1] for fact in facts if fact.path.startswith("transactions/")}
    assert named == {"t1", "t2", "t3"}
