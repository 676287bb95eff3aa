"""The cells of the access matrix for one tool and role, and every decision on them held against the oracle."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from casewright.access.decide import decide
from casewright.access.engine import PolicyEngine
from casewright.contracts.decision import Allowed
from evals.access.documents import Document, typed
from evals.access.oracle import PERSON, RELATIONS, TOKENS, Cell, actors, agents, tools

LISTED = ("plain", "star", "no scope", "no case")
"""States of a token that a listing can tell apart."""
APART = {"none": ("assigned", "other tenant"), "corpus": ("assigned", "other tenant", "absent", "conflict")}
"""Relations to what a tool acts on; where it acts on no case, being assigned to one cannot matter."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """How decisions and oracle agree."""

    combinations: int
    false_allows: tuple[str, ...]
    false_denials: tuple[str, ...]
    """Each in words: who, with what, on what; what was decided, what had to be."""
    first_document: Document | None = None
    """The input of the first decision that differs."""


def cells(tool: tuple[str, str], role: str) -> Iterator[Cell]:
    """Every pair of actor, relation and token, each with the third of them held at what could be allowed, and listings.

    The whole product is tried by `tests/security/test_access_matrix.py`.
    """
    relations = APART.get(tools()[tool].kind, RELATIONS)
    whole = itertools.chain(
        itertools.product(relations, actors(), ("plain",)),
        itertools.product(("assigned",), actors(), TOKENS),
        itertools.product(relations, (PERSON, *_rightful(tool[1])), TOKENS),
    )
    for relation, actor, token in dict.fromkeys(whole):
        yield Cell(role=role, tool=tool, relation=relation, actor=actor, token=token)
    for actor, token in itertools.product(actors(), LISTED):
        yield Cell(role=role, tool=tool, relation="absent", actor=actor, token=token, mode="list")


def compared(engine: PolicyEngine, tool: tuple[str, str], role: str) -> Compared:
    """Decide every cell; an effect that is weaker than the oracle's is a false allow, a stronger one a false denial."""
    count, allows, denials, first = 0, list[str](), list[str](), list[Document]()
    for cell in cells(tool, role):
        document = cell.document()
        verdict = decide(engine, typed(document))
        effect = verdict.decision.effect if isinstance(verdict, Allowed) else "deny"
        count += 1
        if effect != cell.expected():
            (denials if effect == "deny" else allows).append(words(cell, effect))
            first.append(document)
    return Compared(
        combinations=count,
        false_allows=tuple(allows),
        false_denials=tuple(denials),
        first_document=first[0] if first else None,
    )


def words(cell: Cell, effect: str) -> str:
    """A cell as people read it."""
    agent, step = cell.actor
    who = f"agent {agent!r} in step {step!r}" if agent else f"a person{f' in step {step!r}' if step else ''}"
    asks = "lists" if cell.mode == "list" else "calls"
    return (
        f"{who} for role {cell.role!r}, token {cell.token!r}, {asks} {'/'.join(cell.tool)} on a case that is "
        f"{cell.relation!r}: {effect}, and the rules say {cell.expected()}"
    )


def _rightful(name: str) -> tuple[tuple[str, str], ...]:
    """The agents, in their steps, that have a tool of this name."""
    return tuple((agent, step) for agent, steps in agents().items() for step, own in steps.items() if name in own)
