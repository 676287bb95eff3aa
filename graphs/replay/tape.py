"""A toolbox that answers from the record: the same call gets the recorded result, another one ends the replay."""

import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from mcp.shared.exceptions import MCPError

from agents.toolbox import ModelT, Toolbox, ToolBudget, broken, read_result, refusal
from casewright.replay.made_call import MadeCall
from graphs.replay.parting import PartedError, What, first_difference


@dataclass(kw_only=True)
class ToolTape:
    """The calls of one step."""

    calls: Sequence[MadeCall]
    in_order: bool = True
    """False: a listener made calls while a model wrote, so that their order says nothing."""
    played: set[int] = field(default_factory=set[int])

    def left(self) -> int:
        """How many were not made again."""
        return len(self.calls) - len(self.played)

    def next_of(self, tool: str, arguments: Mapping[str, Any]) -> MadeCall | None:
        """The call in whose place this one is made; None: the record has no further one."""
        open_ones = [at for at in range(len(self.calls)) if at not in self.played]
        if not self.in_order:
            same = [at for at in open_ones if self.calls[at].tool == tool and self.calls[at].arguments == arguments]
            open_ones = same or open_ones
        if not open_ones:
            return None
        self.played.add(open_ones[0])
        return self.calls[open_ones[0]]


Parted = Callable[[What, str, str, str], PartedError]


class TapeToolbox:
    """The tools of a specialist, from a tape."""

    def __init__(self, tape: ToolTape, budget: ToolBudget, parted: Parted) -> None:
        self._tape = tape
        self._budget = budget
        self._parted = parted

    async def call(self, tool: str, arguments: Mapping[str, Any], result: type[ModelT]) -> ModelT:
        """See `agents.toolbox.Toolbox`.

        Raises:
            PartedError: it is not the recorded call.
        """
        self._budget.take()
        kept = self._tape.next_of(tool, arguments)
        sent: dict[str, Any] = json.loads(json.dumps(dict(arguments)))
        if kept is None:
            raise self._parted("tool", f"{tool} would be called, and the record has no further call", "", "")
        if kept.tool != tool:
            raise self._parted("tool", "name", json.dumps(kept.tool), json.dumps(tool))
        if (found := first_difference(kept.arguments, sent)) is not None:
            raise self._parted("tool", f"{tool}.arguments.{found[0]}", found[1], found[2])
        self._budget.made.append(kept)
        if kept.ending == "failed":
            raise broken(tool, MCPError(kept.code, kept.said))
        if kept.ending == "refused" or kept.result is None:
            raise refusal(tool, kept.said)
        return read_result(tool, kept.result, result)


@asynccontextmanager
async def opened_tape(tape: ToolTape, budget: ToolBudget, parted: Parted) -> AsyncGenerator[Toolbox, None]:
    """A toolbox over a tape, for the length of a block."""
    yield TapeToolbox(tape, budget, parted)
