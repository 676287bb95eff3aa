"""What the annotations promise is what the tools do: whatever says that it only reads leaves every table as it was."""

import hashlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from casewright.contracts.principal import ServerName
from servers.spec import READING_VERBS
from tests.support.drafting import DRAFTING_BEARER, action_of, approved, recommendation, saved
from tests.support.installation import World, structured

OF_CALLS = ("audit", "decision", "meter", "standing", "retriev", "sqlite_", "alembic", "anchor", "head")
"""Parts of the names of tables that record that somebody called: they grow with every call."""
CLAUSE: dict[str, Any] = {"document_id": "hl-provisional-credit", "label": "2.1"}


def content(database: Path) -> dict[str, str]:
    """The tables that no call may change by reading, each with a digest of its rows."""
    with sqlite3.connect(database) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        kept = [name for name in names if not any(part in name for part in OF_CALLS)]
        rows = {name: sorted(map(repr, connection.execute(f'SELECT * FROM "{name}"'))) for name in kept}
    return {name: hashlib.sha256("\n".join(found).encode()).hexdigest() for name, found in rows.items()}


async def arguments(world: World) -> dict[ServerName, dict[str, dict[str, Any]]]:
    """A call of each reading tool that does something."""
    draft = await saved(world)
    await saved(world)
    wanted = await recommendation(world)
    listed = structured(await world.call("case-facts", "list_evidence", bearer=DRAFTING_BEARER))["evidence"]
    versions = structured(await world.call("policy-search", "list_documents", {"all_versions": True}))["documents"]
    version = next(each["version"] for each in versions if each["document_id"] == CLAUSE["document_id"])
    return {
        "policy-search": {
            "search_policies": {"query": "When is provisional credit due?"},
            "get_clause": CLAUSE,
            "get_clauses": {"clauses": [CLAUSE]},
            "compare_versions": CLAUSE | {"from_version": version, "to_version": version},
            "list_documents": {},
            "verify_quote": CLAUSE | {"version": version, "quote": "x"},
        },
        "case-facts": {
            "list_cases": {},
            "get_case": {},
            "list_transactions": {},
            "list_communications": {},
            "list_evidence": {},
            "get_evidence": {"evidence_id": listed[0]["evidence_id"]},
            "get_timeline": {},
            "check_evidence": {},
            "assess_case": {},
        },
        "drafting": {
            "verify_draft": {"recommendation": wanted},
            "get_draft": {"draft_id": draft["draft_id"]},
            "list_drafts": {},
            "diff_drafts": {"draft_id": draft["draft_id"], "from_version": 1, "to_version": 1},
        },
    }


@pytest.mark.thorough
@pytest.mark.proves("I3")
async def test_a_tool_that_says_it_only_reads_changes_nothing(world: World) -> None:
    calls = await arguments(world)
    database = world.services.settings.database
    before = content(database)
    assert len(before) > 10
    for server, tools in calls.items():
        async with world.client(server, DRAFTING_BEARER) as client:
            said = {tool.name: tool.annotations for tool in (await client.list_tools()).tools}
            assert {name for name, hints in said.items() if hints and hints.read_only_hint} == set(tools)
            for name, given in tools.items():
                structured(await client.call_tool(name, given))
                assert content(database) == before, name


@pytest.mark.proves("I3")
async def test_a_tool_that_says_it_may_be_repeated_does_the_same_again(world: World) -> None:
    wanted = action_of(await saved(world))
    await approved(world, wanted)
    structured(await world.call("drafting", "execute_action", wanted, bearer=DRAFTING_BEARER))
    before = content(world.services.settings.database)
    structured(await world.call("drafting", "execute_action", wanted, bearer=DRAFTING_BEARER))
    assert content(world.services.settings.database) == before


@pytest.mark.proves("I3")
@pytest.mark.parametrize("server", ["policy-search", "case-facts", "drafting", "review"])
def test_annotations_follow_from_the_verb_that_the_policy_decides_on(world: World, server: ServerName) -> None:
    for definition in world.factory.definitions(server):
        hints, verb = definition.tool.annotations, definition.spec.verb
        assert hints is not None
        assert hints.read_only_hint == (verb in READING_VERBS)
        assert hints.destructive_hint == (verb == "execute")
        assert hints.idempotent_hint == (verb in READING_VERBS or verb == "execute")
