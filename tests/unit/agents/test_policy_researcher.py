"""What research looks up, searches, and keeps from an earlier round."""

from typing import Any

import pytest

from agents.policy_researcher import Brief, research
from casewright.config import app_root
from casewright.contracts.recommendation import ClauseRef
from casewright.models.accounting import MemoryRecorder
from casewright.models.gateway import Gateway
from casewright.models.layer import CallContext
from casewright.models.offline import OfflineProvider
from casewright.models.prompts import PromptLibrary
from tests.support.model_permission import offline_only
from tests.unit.agents.scripted import ScriptedToolbox

CONTEXT = CallContext(run_id="run-1", case_id="c-1", tenant="t-1", agent="policy_researcher")
CREDIT = ClauseRef(document_id="credit", label="1.1")
DENIAL = ClauseRef(document_id="denial", label="2.1")


def gateway() -> Gateway:
    return Gateway(
        [OfflineProvider()],
        PromptLibrary(app_root() / "agents" / "prompts"),
        MemoryRecorder(),
        permission=offline_only(),
    )


def clause(ref: ClauseRef) -> dict[str, Any]:
    """One clause as `get_clauses` gives it."""
    return {
        "clause": {
            "document_id": ref.document_id,
            "version": "2025.1",
            "label": ref.label,
            "clause_id": f"{ref.document_id}@2025.1#{ref.label}",
            "title": "A policy",
            "heading": "",
            "parents": [],
            "text": "The bank must pay.",
            "sha256": "0" * 64,
            "position": 1,
            "status": "published",
            "effective_from": "2025-01-01",
            "effective_to": None,
        },
        "parents": [],
        "previous": None,
        "next": None,
        "children": [],
        "index_version": "1-abc",
    }


NOTHING: dict[str, Any] = {
    "hits": [],
    "sufficient": False,
    "missing": "nothing was found",
    "index_version": "1-abc",
    "as_of": "2026-01-01",
}


@pytest.mark.proves("E1", "A7")
async def test_a_named_clause_that_is_not_there_is_a_gap_and_the_rest_goes_on() -> None:
    read = {"found": [clause(DENIAL)], "absent": [CREDIT.model_dump()]}
    tools = ScriptedToolbox(("get_clauses", read), ("search_policies", NOTHING))
    brief = Brief(as_of="2026-01-01", refs=(CREDIT, DENIAL, DENIAL), queries=("credit",))
    note = await research(tools, gateway(), CONTEXT, brief)
    assert tools.spent
    assert note.gaps == ("credit 1.1",)
    assert note.clauses == (("denial", "2025.1", "2.1"),)
    assert note.index_version == "1-abc"


@pytest.mark.proves("E2")
async def test_a_later_round_looks_up_only_what_rules_name_since() -> None:
    tools = ScriptedToolbox(("get_clauses", {"found": [clause(DENIAL)], "absent": []}))
    brief = Brief(
        as_of="2026-01-01",
        refs=(CREDIT, DENIAL),
        queries=("credit",),
        known=(("credit", "2025.1", "1.1"),),
        index_version="1-abc",
    )
    note = await research(tools, gateway(), CONTEXT, brief)
    assert tools.spent
    assert note.clauses == (("credit", "2025.1", "1.1"), ("denial", "2025.1", "2.1"))
    assert note.index_version == "1-abc"


@pytest.mark.proves("E1", "A7")
async def test_a_rule_that_names_no_clause_is_a_gap_and_nothing_is_asked_for_it() -> None:
    tools = ScriptedToolbox(("search_policies", NOTHING))
    refs = (ClauseRef(document_id="", label=""), ClauseRef(document_id="credit", label=""))
    note = await research(tools, gateway(), CONTEXT, Brief(as_of="2026-01-01", refs=refs, queries=("credit",)))
    assert tools.spent
    assert (note.gaps, note.clauses) == (("a rule that names no clause",), ())
