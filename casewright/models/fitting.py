"""Makes an input fit what a model reads: by the task's rule, the lowest-ranked evidence is left out first.

How much was left out is counted and recorded. What cannot be cut is not sent: facts and what a person asked stay whole.
"""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic

from casewright.models.provider import Capabilities, ModelRequest
from casewright.models.task import InputT, OutputT, Task

_CHARACTERS_A_TOKEN = 3
"""Fewer than in any language that is common in cases, so that tokens are overestimated."""


@dataclass(frozen=True, kw_only=True)
class Fitted(Generic[InputT]):
    """An input that fits, with the request that sends it."""

    value: InputT
    request: ModelRequest
    left_out: int
    """Pieces of evidence."""


@dataclass(frozen=True, kw_only=True)
class TooLong:
    """The input does not fit, whatever is left out."""

    characters: int
    """What would fit."""


def fitted(
    task: Task[InputT, OutputT], value: InputT, capabilities: Capabilities, rendered: Callable[[InputT], ModelRequest]
) -> Fitted[InputT] | TooLong:
    """`value` as it is, or with as much of its best evidence as fits; `rendered` makes the first request of it."""
    most = _most_characters(task, capabilities)
    whole = rendered(value)
    if most is None or _characters(whole) <= most:
        return Fitted(value=value, request=whole, left_out=0)
    ranked = task.evidence
    if ranked is None:
        return TooLong(characters=most)
    pieces = ranked.count(value)
    kept = bisect_right(
        range(1, pieces + 1), most, key=lambda number: _characters(rendered(ranked.best(value, number)))
    )
    if not kept:
        return TooLong(characters=most)
    best = ranked.best(value, kept)
    return Fitted(value=best, request=rendered(best), left_out=pieces - kept)


def _characters(request: ModelRequest) -> int:
    return len(request.system) + sum(len(turn.text) for turn in request.turns)


def _most_characters(task: Task[InputT, OutputT], capabilities: Capabilities) -> int | None:
    """What may be sent; None: it stays in this process, so there is no limit."""
    if not capabilities.leaves_process:
        return None
    reads = capabilities.max_input_tokens
    own = task.max_input_characters
    return own if reads is None else min(own, reads * _CHARACTERS_A_TOKEN)
