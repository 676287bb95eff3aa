"""Generates tool calls from the schemas of the real tools: fitting, nearly fitting and hostile, the same for a seed."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from pydantic import Field

from casewright.contracts.base import Contract
from casewright.contracts.principal import SERVERS, ServerName
from evals.access.drafts import ACTION_CASE
from evals.access.visits import Visit, visits
from evals.case import CaseId
from evals.datasets import read_lines
from evals.world import ServerWorld

FILE = "hostile-values.jsonl"
EXECUTE = ("drafting", "execute_action")
Manner = Literal["fitting", "nearly", "hostile"]
INTEGERS: Sequence[object] = (-1, 0, 1, 2, 50, 10**13, 2**53 + 1, 10**40, True, 1.0, 0.5, "1")
ODD: Sequence[object] = (None, True, (), {"": ""}, ((((1,),),),), {"$ref": "#"}, float("nan"), -0.0, "")
EXTRA = ("approved", "approval_id", "tenant", "case_id", "labels", "roles", "__proto__", "sealed", "as", "scope")
ABLE = (
    Visit(identity="rosa"),
    Visit(identity="rosa", agent="executor", step="act"),
    Visit(identity="rosa", agent="executor", step="propose"),
)
"""Who may execute the action once people have agreed to it."""
QUERIES = ("provisional credit", "§ 1005.11(c)", "unauthorized transfer liability")
DAYS = ("2026-03-01", "2024-06-01", "2017-06-01", "1999-01-01")
VOTERS = ("selma", "selma", "idris", "rosa", "avery", "marc", "tomas")
_VOTES = 12
_DATED = 6
"""How many searches there are by somebody who may search, each for a day on which other versions are in force."""
_TIMES = 16
"""How often in a hundred calls the one call with consequences is tried in its exact form."""


class HostileValue(Contract):
    """A line of the data file."""

    id: CaseId
    why: str
    text: str = Field(max_length=20_000)


@dataclass(frozen=True, kw_only=True)
class Generated:
    """One call that is to be made."""

    server: ServerName
    tool: str
    arguments: dict[str, Any]
    visit: Visit
    """Who makes it, with what token."""


@dataclass(frozen=True, kw_only=True)
class Vote:
    """Somebody's decision on whatever is open then."""

    identity: str
    approve: bool


@dataclass(frozen=True, kw_only=True)
class Pause:
    """Time that passes."""

    hours: float


Move = Generated | Vote | Pause


class Generator:
    """Makes batches over the tools that the servers of a world really have."""

    def __init__(self, world: ServerWorld, values: Mapping[str, Any], action: Mapping[str, Any]) -> None:
        """Arguments that a world knows (`SavedDraft.values`), and those of the one action that stands."""
        self._schemas: list[tuple[ServerName, str, dict[str, Any]]] = [
            (server, definition.spec.name, definition.tool.parameters)
            for server in SERVERS
            for definition in world.factory.definitions(server)
        ]
        self._values = values
        self._action = action
        self._hostile = tuple(line.text for line in read_lines(FILE, HostileValue))
        self._visits = tuple(visits())

    def batch(self, seed: int, calls: int) -> list[Move]:
        """So many calls, with votes and pauses among them, in an order that the seed gives."""
        source = random.Random(seed)  # noqa: S311, the same calls every time
        moves: list[Move] = [self._call(source) for _ in range(calls - _TIMES - _DATED)]
        moves += [self._exact(source) for _ in range(_TIMES)]
        moves += [self._dated(source) for _ in range(_DATED)]
        source.shuffle(moves)
        for _ in range(_VOTES):
            vote = Vote(
                identity=source.choice(VOTERS),
                approve=source.random() < 0.8,
            )
            moves.insert(source.randrange(len(moves)), vote)
        moves.insert(source.randrange(len(moves)), Pause(hours=source.choice((1, 30, 80))))
        return moves

    def _exact(self, source: random.Random) -> Generated:
        """The execution itself; about half of the callers could execute it once it is approved."""
        visit = source.choice(ABLE if source.random() < 0.5 else self._visits)
        return Generated(server=EXECUTE[0], tool=EXECUTE[1], arguments=dict(self._action), visit=visit)

    def _dated(self, source: random.Random) -> Generated:
        asked = {"query": source.choice(QUERIES), "as_of": source.choice(DAYS), "limit": 10}
        return Generated(server="policy-search", tool="search_policies", arguments=asked, visit=ABLE[0])

    def _call(self, source: random.Random) -> Generated:
        server, tool, schema = source.choice(self._schemas)
        manner: Manner = source.choice(("fitting", "nearly", "hostile"))
        arguments = self._arguments(source, schema, manner)
        if source.random() < 0.04:
            odd = source.choice([text for text in self._hostile if text.isprintable()])
            tool = source.choice((odd[:100], f"{tool} ", tool.upper(), "delete_case", "set_policy_data"))
        visit = source.choice(self._visits if source.random() < 0.7 else self._visits[:4])
        return Generated(server=server, tool=tool, arguments=arguments, visit=visit)

    def _arguments(self, source: random.Random, schema: Mapping[str, Any], manner: Manner) -> dict[str, Any]:
        properties = cast("dict[str, dict[str, Any]]", schema.get("properties", {}))
        required = set(cast("list[str]", schema.get("required", [])))
        made = {
            name: self._value(source, name, kind, manner)
            for name, kind in properties.items()
            if name in required or source.random() < 0.5
        }
        if manner != "fitting" and source.random() < 0.3:
            made[source.choice(EXTRA)] = source.choice((*self._hostile[:8], True, "selma"))
        if manner == "hostile" and made and source.random() < 0.3:
            made.pop(source.choice(sorted(made)))
        return made

    def _value(self, source: random.Random, name: str, kind: Mapping[str, Any], manner: Manner) -> Any:
        wild = manner == "hostile" or (manner == "nearly" and source.random() < 0.3)
        if not wild and name in self._values:
            return self._values[name]
        if name == "wait_seconds":  # a real wait: nobody drives the reviews of a batch
            return source.choice((0, -1, 10**40) if wild else (0,))
        if kind.get("type") == "integer":
            return source.choice(INTEGERS) if wild else source.randint(0, 3)
        if kind.get("type") == "array":
            return [self._text(source, name, wild=wild) for _ in range(source.randint(0, 3))]
        if wild and source.random() < 0.3:
            return source.choice(ODD)
        if wild and name == "recommendation":
            return {**self._values["recommendation"], source.choice(EXTRA): self._text(source, name, wild=True)}
        return self._text(source, name, wild=wild)

    def _text(self, source: random.Random, name: str, *, wild: bool) -> str:
        if wild:
            return source.choice(self._hostile)
        known = {
            "query": (*QUERIES, "AND OR NOT", "+-*/"),
            "question": ("When is provisional credit due?",),
            "case_id": (ACTION_CASE, "HL-2026-0003", "MB-2026-0001"),
            "as_of": DAYS,
        }
        return source.choice(known.get(name, ("run-none", "apr-none", "EV-1", "pending")))
