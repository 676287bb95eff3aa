"""Calls through a real client of a real server by everybody there is, each with the oracle's word on it before.

People, their roles and the cases are those of the sample organisation; relation and token state are found out from
the stores here, in Python, and not from what a server says.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from mcp.shared.exceptions import MCPError

from casewright.contracts.case import CaseFile
from casewright.contracts.principal import SERVERS, ServerName
from evals.access.drafts import ACTION_CASE, AUTHOR, said
from evals.access.matrix import APART
from evals.access.oracle import PERSON, Cell, own_steps, tools
from evals.world import Caller, ServerWorld
from servers.guard import HIDDEN

PEOPLE = ("rosa", "tomas", "selma", "idris", "avery", "petra", "lena", "marc")
SEALED_CASE = "HL-2026-0015"
"""Of rosa; the world seals the whole matter."""
CASES = (ACTION_CASE, "HL-2026-0003", "HL-2026-0017", SEALED_CASE, "MB-2026-0001", "HL-2026-9999")
"""Of rosa; of tomas; of tomas with a conflict of rosa's; sealed; of another tenant; of nobody."""
State = Literal["plain", "no scope", "other scope", "star", "no run", "expired", "other server", "forged", "absent"]
AT_THE_DOOR: tuple[State, ...] = ("expired", "other server", "forged", "absent")
"""Nobody gets any further with such a token, whoever they are."""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One call that somebody makes."""

    identity: str
    case_id: str = ACTION_CASE
    agent: str = ""
    step: str = ""
    state: State = "plain"

    def words(self) -> str:
        who = f"agent {self.agent!r} in step {self.step!r} for {self.identity}" if self.agent else self.identity
        return f"{who} with a token on {self.case_id} ({self.state})"


@dataclass(frozen=True, kw_only=True)
class Visited:
    """What came of a call."""

    allowed: bool
    """The guard let it through, as its audit says."""
    answered: bool
    """The client got something else than a refusal."""
    code: str


def visits() -> Iterator[Visit]:
    """Everybody on every kind of case; every agent in its steps and in another's; every state of a token."""
    for identity in PEOPLE:
        yield Visit(identity=identity)
    for case_id in CASES[1:]:
        for identity in ("rosa", "selma", "avery", "lena"):
            yield Visit(identity=identity, case_id=case_id)
    for agent, step in (*own_steps(), ("intake", "act"), ("executor", "")):
        yield Visit(identity="rosa", agent=agent, step=step)
    yield Visit(identity="tomas", agent="executor", step="act")
    for state in ("star", "no scope", "other scope", *AT_THE_DOOR):
        yield Visit(identity="rosa", state=state)
    for state in ("star", "no scope", "no run"):
        yield Visit(identity="rosa", agent="facts_analyst", step="facts_analyst", state=state)


async def expected(world: ServerWorld, tool: tuple[str, str], visit: Visit) -> str:
    """The oracle's effect for a visit."""
    if visit.state in AT_THE_DOOR:
        return "deny"
    principal = world.services.identities.find(visit.identity)
    acts_on = tools()[tool].kind
    on_draft = acts_on in ("draft", "action")
    stored = await world.services.cases.load(principal.tenant, ACTION_CASE if on_draft else visit.case_id)
    state: str = visit.state
    if on_draft and visit.case_id != ACTION_CASE:
        state = "other case"
    cell = Cell(
        role=principal.roles[0],
        tool=tool,
        relation=_relation(visit.identity, stored.case if stored else None) if acts_on not in APART else "assigned",
        actor=(visit.agent, visit.step) if visit.agent else PERSON,
        token=state,
    )
    return cell.expected()


def _relation(identity: str, case: CaseFile | None) -> str:
    if case is None:
        return "absent"
    if identity in case.conflicts:
        return "conflict"
    assigned = identity in case.assigned_to
    if case.sealed:
        return "sealed" if assigned else "sealed, not assigned"
    return "assigned" if assigned else "not assigned"


async def visited(world: ServerWorld, tool: tuple[str, str], visit: Visit, sent: Mapping[str, Any]) -> Visited:
    """Make the call, and read from the audit what was decided on it."""
    server, name = _server(tool[0]), tool[1]
    after = (await world.services.audit.head())[0]
    # Agents reach the drafts of their own run alone; elsewhere every call has a run, and so a budget, of its own.
    run_id = AUTHOR.run_id if tools()[tool].kind in ("draft", "action") and visit.agent else f"run-{after}"
    async with world.client(server, token_of(world, server, name, visit, run_id)) as client:
        try:
            answered = HIDDEN not in said(await client.call_tool(name, dict(sent)))
        except MCPError:  # refused before there was a call; the handshake answers everybody
            answered = False
    events = await _decided(world, after)
    codes = [str(event.get("code", "")) for event in events]
    own = [event for event in events if (event.get("server"), event.get("tool")) == tool]
    allowed = any(event["kind_of_event"] == "call.allowed" for event in own)
    return Visited(allowed=allowed, answered=answered, code=", ".join(filter(None, codes)))


async def _decided(world: ServerWorld, after: int) -> list[dict[str, Any]]:
    """Bodies of the events since, that allow or deny a call, each with its kind."""
    found: list[dict[str, Any]] = []
    for tenant in ("harborline", "millbrook", ""):
        for event in await world.services.audit.events(tenant=tenant, after=after):
            if event.kind in ("call.allowed", "call.denied"):
                found.append({**event.body, "kind_of_event": event.kind})
    return found


def _server(name: str) -> ServerName:
    return next(server for server in SERVERS if server == name)


def token_of(world: ServerWorld, server: ServerName, tool: str, visit: Visit, run_id: str) -> str:
    """The token of a visit for a server: real, or spoilt in the way that its state says."""
    own = (tool, "execute_action") if tool == "submit_action" else (tool,)  # asking decides the execution
    scopes = {"star": ("*",), "no scope": (), "other scope": (f"{tool}_", tool.title())}
    caller = Caller(
        identity=visit.identity,
        case_id=visit.case_id,
        agent=visit.agent,
        step=visit.step,
        run_id="" if visit.state == "no run" else run_id,
        scopes=scopes.get(visit.state, own),
    )
    match visit.state:
        case "absent":
            return ""
        case "expired":
            return world.token(server, replace(caller, seconds=0))
        case "other server":
            return world.token("policy-search" if server != "policy-search" else "drafting", caller)
        case "forged":
            return _promoted(world.token(server, caller))
        case _:
            return world.token(server, caller)


def _promoted(token: str) -> str:
    """The token with another person in it, under the signature of the first."""
    head, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    claims["principal"]["roles"] = ["supervisor"]
    changed = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"{head}.{changed}.{signature}"
