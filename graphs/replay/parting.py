"""Where a replayed run first parts from its record: the step, what of it, the place, and both values."""

import json
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Literal, cast

What = Literal["step", "tool", "model", "event", "state", "report", "answer"]
_ABSENT = "(absent)"


@dataclass(frozen=True, kw_only=True)
class Parting:
    """The first difference."""

    step: int
    """Counted from 1; 0: of the whole."""
    node: str
    what: What
    place: str
    """Such as `search_policies.arguments.query` or `amount_minor`."""
    was: str = ""
    """JSON as recorded; empty where the place says it all."""
    now: str = ""


class PartedError(Exception):
    """Stops a replay; it is no failure of a review, so no node may catch it as one."""

    def __init__(self, parting: Parting) -> None:
        super().__init__(f"step {parting.step} ({parting.node}) parts at {parting.what} {parting.place}")
        self.parting = parting


class UnknownError(Exception):
    """Stops a replay: what would happen next cannot be known from the record; its words say why."""


def first_difference(was: object, now: object, path: str = "") -> tuple[str, str, str] | None:
    """The path of the first member that differs between two JSON values, with both; None: they are the same."""
    pairs: list[tuple[str, object, object]]
    if isinstance(was, dict) and isinstance(now, dict):
        before, after = cast("dict[str, Any]", was), cast("dict[str, Any]", now)
        names = sorted(before.keys() | after.keys())
        pairs = [(name, before.get(name, _ABSENT), after.get(name, _ABSENT)) for name in names]
    elif isinstance(was, list | tuple) and isinstance(now, list | tuple):
        longest = zip_longest(cast("list[Any]", was), cast("list[Any]", now), fillvalue=_ABSENT)
        pairs = [(str(number), one, other) for number, (one, other) in enumerate(longest)]
    else:
        before_text, now_text = _json(was), _json(now)
        return None if before_text == now_text else (path, before_text, now_text)
    for name, one, other in pairs:
        found = first_difference(one, other, f"{path}.{name}" if path else name)
        if found is not None:
            return found
    return None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
