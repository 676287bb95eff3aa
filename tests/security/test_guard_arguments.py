"""Generated calls with hostile arguments on every tool of every server, as a reviewer and as an agent.

Whatever is sent: nothing is executed, no failure leaks, and every call leaves exactly one event
that allows or denies it; on the review server one more for each deed that it asks about.
"""

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import anyio.from_thread
import pytest
from anyio.from_thread import BlockingPortal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcp_types import CallToolResult

from casewright.contracts.principal import SERVERS, ServerName
from tests.support.installation import POLICIES, Bearer, World, said

TOOLS: dict[ServerName, tuple[str, ...]] = {
    "policy-search": (
        "search_policies",
        "get_clause",
        "get_clauses",
        "compare_versions",
        "list_documents",
        "verify_quote",
    ),
    "case-facts": ("list_cases", "get_case", "get_evidence", "check_evidence", "assess_case", "get_timeline"),
    "drafting": (
        "verify_draft",
        "save_draft",
        "get_draft",
        "list_drafts",
        "diff_drafts",
        "submit_action",
        "execute_action",
    ),
    "review": (
        "start_review",
        "ask_question",
        "get_answer",
        "list_reviews",
        "get_review",
        "answer_question",
        "list_approvals",
        "get_approval",
        "decide_approval",
        "explain_review",
    ),
}
NAMES = (
    "query",
    "as_of",
    "limit",
    "document_id",
    "label",
    "version",
    "from_version",
    "quote",
    "evidence_id",
    "recommendation",
    "draft_id",
    "draft_version",
    "draft_digest",
    "action",
    "amount_minor",
    "currency",
    "case_id",
    "tenant",
    "approval_id",
    "sealed",
)
HOSTILE_TEXTS = (
    "' OR 1=1 --",
    '"; DROP TABLE cases; --',
    "../../../../etc/passwd",
    "{{7*7}}",
    "${jndi:ldap://x}",
    "data.data.access",
    "\x00",
    "\u202eevil",
    "\ud800",
    "a" * 10_000,
    "HL-2026-0003",
    "MB-2026-0001",
    "issue_final_credit",
    "drf-0000000000000000",
    "*",
)
SENDABLE = tuple(text for text in HOSTILE_TEXTS if text.isprintable() or text == "\x00")
"""As a tool's name: a client cannot put half a character into a header."""
FITTING = {
    "draft_id": st.sampled_from(["drf-1", "drf-2"]),
    "draft_version": st.integers(0, 3),
    "draft_digest": st.sampled_from(["0" * 64, "f" * 64]),
    "action": st.sampled_from(["issue_final_credit", "deny_claim", "no_action"]),
    "amount_minor": st.integers(-1, 10**13),
    "currency": st.sampled_from(["USD", "usd"]),
    "query": st.sampled_from(["provisional credit", "§ 1005.11(c)", "AND OR NOT", "+-*/"]),
    "as_of": st.dates().map(str),
}
leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | st.sampled_from(HOSTILE_TEXTS)
values = st.recursive(leaf, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner))
arguments = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=12), values, max_size=6)
fitting = st.fixed_dictionaries({}, optional=FITTING)
servers_and_tools = st.sampled_from([(server, tool) for server, tools in TOOLS.items() for tool in tools])
unknown_tools = st.tuples(st.sampled_from(SERVERS), st.text(max_size=20) | st.sampled_from(SENDABLE))
LEAKS = ("Traceback", "/home", "sqlite", "sqlalchemy", "pydantic", "site-packages", "Error executing")


@contextmanager
def running(home: Path) -> Generator[tuple[World, BlockingPortal]]:
    """A world on an event loop of its own, so that many examples share one installation."""
    with anyio.from_thread.start_blocking_portal() as portal:
        world = World(home, POLICIES)
        try:
            yield world, portal
        finally:
            portal.call(world.services.close)


async def attempt(world: World, call: tuple[ServerName, str], sent: dict[str, Any], bearer: Bearer) -> CallToolResult:
    """One hostile call; what must hold after it is checked by the caller."""
    server, tool = call
    async with world.client(server, bearer) as client:
        return await client.call_tool(tool, sent)


async def decided(world: World, run_id: str) -> list[str]:
    """The kinds of the events that allow or deny a call of a run."""
    events = await world.events(run_id=run_id)
    return [event.kind for event in events if event.kind in ("call.allowed", "call.denied")]


@pytest.mark.timeout(300)
@pytest.mark.thorough
@pytest.mark.proves("D1", "D2", "C3", "G1")
@pytest.mark.parametrize(
    "bearer",
    [Bearer(), Bearer(agent="executor", scopes=("submit_action", "execute_action")), Bearer(identity="avery")],
    ids=["reviewer", "agent", "auditor"],
)
def test_no_hostile_call_executes_leaks_or_escapes_the_audit(home: Path, bearer: Bearer) -> None:
    number = iter(range(10**6))
    with running(home) as (world, portal):

        @settings(
            max_examples=150,
            deadline=None,
            suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
            database=None,
        )
        @given(servers_and_tools | unknown_tools, arguments | fitting | fitting.map(dict))
        def hostile(call: tuple[ServerName, str], sent: dict[str, Any]) -> None:
            own_run = replace(bearer, run_id=f"run-{next(number)}")
            result = portal.call(attempt, world, call, sent, own_run)
            kinds = portal.call(decided, world, own_run.run_id)
            assert len(kinds) == 1 or (call[0] == "review" and kinds), (call, sent, kinds, said(result))
            assert result.is_error or set(kinds) == {"call.allowed"}
            text = said(result) if result.is_error else ""
            assert not any(leak in text.replace(json.dumps(sent), "") for leak in LEAKS), text

        hostile()
        for case_id in ("HL-2026-0001", "HL-2026-0003"):
            assert portal.call(world.effects, case_id) == []
        assert portal.call(world.services.approvals.list, "harborline") == ()
        assert portal.call(world.services.drafts.list, "harborline", "HL-2026-0001") == ()
        assert portal.call(world.services.audit.verify).ok


@pytest.mark.proves("D1")
@pytest.mark.parametrize("name", ["a" * 100_000, "\u202e" * 10, "\x00get_case", "get_case ", " get_case", "get_case\n"])
async def test_a_tool_name_is_compared_exactly_and_an_odd_one_is_audited(world: World, name: str) -> None:
    result = await world.call("case-facts", name)
    assert result.is_error
    (event,) = await world.events()
    assert (event.kind, event.body["code"]) == ("call.denied", "tool_unknown")
    assert event.body["tool"].isprintable() and event.body["tool"].isascii()
    assert len(event.body["tool"]) <= 1_200


@pytest.mark.proves("D1")
@pytest.mark.parametrize(
    "recommendation",
    [{"action": {"amount_minor": 2**60}}, {"summary": [{"claim": "\ud800"}]}, [], "text", None, {"summary": [None]}],
    ids=["a large number", "half a character", "a list", "a text", "nothing", "nulls"],
)
async def test_odd_recommendations_are_refused_and_audited(world: World, recommendation: Any) -> None:
    result = await world.call("drafting", "verify_draft", {"recommendation": recommendation})
    assert result.is_error
    (event,) = await world.events()
    assert event.body["code"] == "arguments_invalid"


@pytest.mark.proves("D1")
async def test_more_levels_than_any_document_has_are_refused(world: World) -> None:
    deep: Any = []
    for _ in range(200):  # a client sends no more
        deep = [deep]
    result = await world.call("drafting", "verify_draft", {"recommendation": deep})
    assert result.is_error
    (event,) = await world.events()
    assert event.body["code"] == "arguments_invalid"


@pytest.mark.proves("D1")
async def test_more_bytes_than_any_document_has_are_refused(world: World) -> None:
    result = await world.call("case-facts", "get_evidence", {"evidence_id": "a" * 2_000_000})
    assert result.is_error
    assert "larger than 1000000 bytes" in said(result)
