"""Asks the policy who may do what: every role and tool in every state of case and caller.

Only the names to ask about (roles, tools with their declared facts, agents with their steps, one
action) come from the policy's data; every answer is a decision of the real policy on a whole input
document. The command line draws it. It is deliberately *not* the proof of the matrix: the security
tests have an independent one.
"""

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from casewright import __version__
from casewright.access.bundle import Bundle
from casewright.access.decide import decide
from casewright.access.engine import PolicyEngine
from casewright.access.flips import outcome_of
from casewright.canonical import digest
from casewright.clock import NANOSECONDS
from casewright.contracts.controls import Controls
from casewright.contracts.decision import (
    ActorInput,
    BudgetsInput,
    ContextInput,
    DecisionInput,
    PrincipalInput,
    ResourceInput,
    ToolInput,
)
from casewright.errors import InputError

State = Literal[
    "listed", "assigned", "not assigned", "other tenant", "conflict", "sealed", "agent at its step", "agent elsewhere"
]
STATES: tuple[State, ...] = (
    "listed",
    "assigned",
    "not assigned",
    "other tenant",
    "conflict",
    "sealed",
    "agent at its step",
    "agent elsewhere",
)
_AGENT_STATES = {"agent at its step", "agent elsewhere"}
_NOW_NS = 1_794_000_000 * NANOSECONDS
_PERSON, _TENANT, _CASE, _RUN = "somebody", "this-tenant", "CASE-1", "run-1"
_RESOURCE_IDS = {"case": _CASE, "draft": f"{_CASE}/draft-1", "action": f"{_CASE}/action-1"}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """The answer in one state."""

    state: State
    effect: str
    """`permit`, `require_approval`, `maybe`, `deny`; `none` where no agent has the tool."""
    code: str
    """Of a denial: the first reason."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One role on one tool."""

    tool: str
    """`server/tool`."""
    role: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, kw_only=True)
class _Tool:
    server: str
    name: str
    facts: Mapping[str, Any]
    agent: str
    step: str
    """An agent that has this tool, and where; empty when none has."""

    @property
    def path(self) -> str:
        return f"{self.server}/{self.name}"


def matrix(engine: PolicyEngine, bundle: Bundle, *, role: str = "", tool: str = "") -> tuple[Row, ...]:
    """Every role on every tool, or those of one role, or of one tool (`name` or `server/name`).

    Raises:
        InputError: there is no such role or tool.
    """
    tables: Mapping[str, Any] = json.loads(bundle.data_json)["data"]["access"]
    roles = [name for name in tables["roles"] if role in ("", name)]
    tools = [found for found in _tools(tables) if tool in ("", found.name, found.path)]
    if not roles:
        raise InputError(f"{role!r} is no role; there are {', '.join(tables['roles'])}")
    if not tools:
        raise InputError(f"{tool!r} is no tool; name one of {', '.join(found.path for found in _tools(tables))}")
    action = next(iter(tables["approvals"]["actions"]))
    return tuple(
        Row(
            tool=found.path,
            role=name,
            cells=tuple(_cell(engine, state, found, name, action) for state in STATES),
        )
        for found in tools
        for name in roles
    )


def questions(bundle: Bundle) -> Iterator[tuple[str, DecisionInput]]:
    """Every input that the matrix of a bundle asks about, named; actions in each band of their amounts.

    For whoever compares two sets of policies: what was never recorded is asked as well.
    """
    tables: Mapping[str, Any] = json.loads(bundle.data_json)["data"]["access"]
    for tool in _tools(tables):
        for role, state in itertools.product(tables["roles"], STATES):
            if state in _AGENT_STATES and not tool.agent:
                continue
            for action, amount in _amounts(tables, tool):
                asked = _question(state, tool, role, action)
                resource = asked.resource.model_copy(update={"amount_minor": amount})
                told = f", {action} {amount}" if action else ""
                yield f"{role} on {tool.path}, {state}{told}", asked.model_copy(update={"resource": resource})


def _amounts(tables: Mapping[str, Any], tool: _Tool) -> Iterator[tuple[str, int]]:
    """Every action with the lowest amount of each of its bands; of a tool without actions only nothing."""
    if tool.facts["resource"] != "action":
        yield "", 0
        return
    for action, bands in tables["approvals"]["actions"].items():
        for band in bands:
            yield action, band["from_minor"]


def _tools(tables: Mapping[str, Any]) -> Iterator[_Tool]:
    for server, tools in tables["tools"].items():
        for name, facts in tools.items():
            agent, step = _place(tables["agents"], f"{server}/{name}")
            yield _Tool(server=server, name=name, facts=facts, agent=agent, step=step)


def _place(agents: Mapping[str, Any], tool: str) -> tuple[str, str]:
    """The first agent that has a tool at some step, with the step."""
    for agent, entry in agents.items():
        for step, tools in entry.get("steps", {}).items():
            if tool in tools:
                return agent, step
    return "", ""


def _cell(engine: PolicyEngine, state: State, tool: _Tool, role: str, action: str) -> Cell:
    if state in _AGENT_STATES and not tool.agent:
        return Cell(state=state, effect="none", code="")
    found = outcome_of(decide(engine, _question(state, tool, role, action)))
    return Cell(state=state, effect=found.effect, code=found.codes[0] if found.effect == "deny" else "")


def _question(state: State, tool: _Tool, role: str, action: str) -> DecisionInput:
    """The whole input document that stands for one state."""
    return DecisionInput(
        mode="list" if state == "listed" else "call",
        principal=PrincipalInput(
            id=_PERSON,
            tenant=_TENANT,
            roles=(role,),
            clearance="confidential",
            labels=(),
            authentication="mfa",
            authenticated_at=_NOW_NS // NANOSECONDS - 60,
        ),
        actor=_actor(state, tool),
        tool=ToolInput(
            server=tool.server,
            kind=tool.facts["kind"],
            name=tool.name,
            verb=tool.facts["verb"],
            risk=tool.facts["risk"],
            definition_hash="0" * 64,
        ),
        resource=_resource(state, tool, action),
        arguments={},
        arguments_digest=digest({}),
        provenance={},
        context=ContextInput(
            now_ns=_NOW_NS,
            step=0,
            budgets=BudgetsInput(tool_calls=0, steps=0),
            controls=Controls(),
            release=__version__,
        ),
    )


def _actor(state: State, tool: _Tool) -> ActorInput:
    agent = state in _AGENT_STATES
    step = {"agent at its step": tool.step, "agent elsewhere": "elsewhere"}.get(state, "")
    return ActorInput(
        kind="agent" if agent else "user",
        agent=tool.agent if agent else "",
        run_id=_RUN,
        case_id=_CASE,
        step=step,
        scopes=(tool.name,),
    )


def _resource(state: State, tool: _Tool, action: str) -> ResourceInput:
    kind = tool.facts["resource"]
    on_case = kind in _RESOURCE_IDS
    return ResourceInput(
        kind=kind,
        exists=True,
        id=_RESOURCE_IDS.get(kind, ""),
        tenant="another-tenant" if state == "other tenant" else _TENANT,
        team="",
        classification="confidential" if on_case else "public",
        sealed=state == "sealed",
        assigned_to=(_PERSON,) if on_case and state != "not assigned" else (),
        conflicts=(_PERSON,) if state == "conflict" else (),
        state="open" if on_case else "",
        author="somebody-else" if on_case else "",
        action=action if kind == "action" else "",
        amount_minor=100 if kind == "action" else 0,
        run_id=_RUN if kind in ("draft", "action") else "",
    )
