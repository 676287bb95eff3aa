"""The oracle of the access matrix: role x tool x case x actor x token, read from the prose of the rules.

It is written in Python from two tables, who may use what and which agent acts where, and knows nothing of the Rego:
where both agree, two readings of the rules agree. The suite and the tests of access hold every decision against it.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple

from pydantic import Field

from casewright.contracts.base import Contract
from casewright.contracts.decision import Risk, Verb
from evals.access.documents import READ_CASE, Document
from evals.case import CaseId
from evals.datasets import read_lines

TOOL_FILE = "access-tools.jsonl"
AGENT_FILE = "access-agents.jsonl"
ROLES = ("reviewer", "supervisor", "auditor", "policy_author", "service", "")
"""An empty role is nobody's."""
RELATIONS = ("assigned", "not assigned", "conflict", "other tenant", "absent", "sealed", "sealed, not assigned")
TOKENS = ("plain", "star", "no scope", "other scope", "other case", "no case", "no run", "low clearance", "spent")
VOTING = ("vote_approval", "assign_approval")
"""For whoever the approval's rule names; a listing does not know the approval."""
UNBOUND = (*VOTING, "revoke_approval")
"""They act on an action of any case, unless the token names one."""
PERSON = ("", "")
"""Agent and step of an actor who is a person."""


class ToolRule(Contract):
    """A line of the table of tools: who may use one, and on what."""

    id: CaseId
    """Server and name; of a deed outside the servers the server is `admin`."""
    why: str
    verb: Verb
    risk: Risk
    acts_on: Literal["none", "corpus", "case", "draft", "action"]
    roles: tuple[str, ...]
    arguments: dict[str, Any] = Field(default_factory=dict[str, Any])
    """A call that fits; `@name` stands for a value that the world knows."""

    @property
    def key(self) -> tuple[str, str]:
        server, _, name = self.id.partition("/")
        return server, name


class AgentRule(Contract):
    """A line of the table of agents: the steps one acts in, and its tools there."""

    id: CaseId
    why: str
    steps: dict[str, tuple[str, ...]]


class Facts(NamedTuple):
    """What the table says of a tool."""

    verb: str
    risk: str
    kind: str
    roles: tuple[str, ...]


@cache
def tools() -> dict[tuple[str, str], Facts]:
    """Every tool by server and name, one that does not exist among them."""
    return {rule.key: Facts(rule.verb, rule.risk, rule.acts_on, rule.roles) for rule in read_lines(TOOL_FILE, ToolRule)}


@cache
def agents() -> dict[str, dict[str, tuple[str, ...]]]:
    """Every agent's tools by step."""
    return {rule.id: rule.steps for rule in read_lines(AGENT_FILE, AgentRule)}


@cache
def own_steps() -> tuple[tuple[str, str], ...]:
    """Every agent in every step of its own."""
    return tuple((agent, step) for agent, steps in agents().items() for step in steps)


@cache
def actors() -> tuple[tuple[str, str], ...]:
    """Agent and step; also agents in steps that are not theirs, and a person in one."""
    return (PERSON, *own_steps(), ("intake", "act"), ("executor", ""), ("drafter", "Drafter"), ("", "act"))


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One combination. An actor without a name is a person, an empty role is nobody's."""

    role: str
    tool: tuple[str, str]
    relation: str
    actor: tuple[str, str]
    token: str
    mode: str = "call"

    def document(self) -> Document:
        """The input of the decision."""
        verb, risk, kind, _ = tools()[self.tool]
        return READ_CASE | {
            "mode": self.mode,
            "principal": READ_CASE["principal"]
            | {
                "id": "rosa",
                "roles": [self.role] if self.role else [],
                "clearance": "internal" if self._has("low clearance") else "confidential",
            },
            "actor": self._actor(),
            "tool": READ_CASE["tool"] | {"server": self.tool[0], "name": self.tool[1], "verb": verb, "risk": risk},
            "resource": self._resource(kind),
            "context": READ_CASE["context"]
            | {"budgets": {"tool_calls": 10**6 if self._has("spent") else 3, "steps": 0}},
        }

    def _has(self, *states: str) -> bool:
        return self.token in states

    def _actor(self) -> dict[str, Any]:
        scopes = {"star": ["*"], "no scope": [], "other scope": ["get_case_", "Get_Case"]}
        cases = {"other case": "HL-10", "no case": ""}
        return {
            "kind": "agent" if self.actor[0] else "user",
            "agent": self.actor[0],
            "run_id": "" if self._has("no run") else "run-1",
            "case_id": cases.get(self.token, "HL-1"),
            "step": self.actor[1],
            "scopes": scopes.get(self.token, [self.tool[1]]),
        }

    def _resource(self, kind: str) -> dict[str, Any]:
        if self.relation == "absent":
            return {**READ_CASE["resource"], "kind": kind, "exists": False, "id": "", "tenant": "", "assigned_to": []}
        return READ_CASE["resource"] | {
            "kind": kind,
            "tenant": "millbrook" if self.relation == "other tenant" else "harborline",
            "assigned_to": ["tomas"] if "not assigned" in self.relation else ["tomas", "rosa"],
            "sealed": self.relation.startswith("sealed"),
            "conflicts": ["rosa"] if self.relation == "conflict" else [],
            "author": "tomas" if kind == "action" else "",
            "action": "deny_claim" if kind == "action" else "",
            "run_id": "run-1" if kind in ("draft", "action") else "",
        }

    def expected(self) -> str:
        """The oracle: the effect that the rules, read as prose, give."""
        verb, _, kind, roles = tools()[self.tool]
        case_bound = kind in ("case", "draft", "action") and self.tool[1] not in UNBOUND
        if not self._caller_may(roles, case_bound=case_bound):
            return "deny"
        if self.mode == "list":
            return "permit" if kind == "none" or (kind == "corpus" and verb in ("list", "search")) else "maybe"
        if self._has("spent") or (kind in ("case", "draft", "action") and self._has("other case")):
            return "deny"
        if kind != "none" and not self._reaches(kind):
            return "deny"
        return "require_approval" if verb == "execute" else "permit"

    def _caller_may(self, roles: tuple[str, ...], *, case_bound: bool) -> bool:
        if self.role not in roles or self._has("no scope", "other scope"):
            # Whether a role may vote comes from the approval, which a listing does not know.
            return self.mode == "list" and self.tool[1] in VOTING and self._may_ask_to_vote()
        if case_bound and self._has("no case"):
            return False
        agent, step = self.actor
        if not agent:
            return step == ""
        own = agents()[agent].get(step, ())
        return self.tool[1] in own and not self._has("star", "no run", "no case")

    def _may_ask_to_vote(self) -> bool:
        return self.role == "reviewer" and self.actor == PERSON and not self._has("no scope", "other scope")

    def _reaches(self, kind: str) -> bool:
        if self.relation in ("absent", "other tenant", "conflict") or self._has("low clearance"):
            return False
        if kind == "corpus":
            return True
        if self.relation.startswith("sealed") and self.role != "supervisor":
            return False
        return self.role in ("supervisor", "auditor") or self.relation == "assigned"
