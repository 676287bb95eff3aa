"""Where what would be sent or answered now parts from what was recorded, by place alone.

Whoever may see that a run differs need not be cleared for its case, so nothing of the input, of a prompt's turns or of
an answer is told. Instructions hold nothing of a case, and are.
"""

import json
from itertools import zip_longest
from typing import Any, cast

_SHOWN = 60
_ABSENT = object()


def difference(name: str, before: str, after: str) -> str:
    """Where two texts of a request part; `name` says which they are: `system`, `input` or a turn."""
    if name == "input":
        return document_difference(name, before, after)
    at = _parting_place(before, after)
    place = f"{name} parts at character {at} (it had {len(before)}, and has {len(after)})"
    if name != "system":
        return place
    return f"{place}: {before[at : at + _SHOWN]!r} was, {after[at : at + _SHOWN]!r} is"


def document_difference(name: str, before: str, after: str) -> str:
    """Where two JSON documents part: the path of the first member that is not the same. Empty: there is none."""
    if not (before and after):
        return f"{name} was {'there' if before else 'not there'} and is {'there' if after else 'not there'}"
    return f"{name} parts at {_parting(json.loads(before), json.loads(after)) or 'no member, only in its form'}"


def _parting_place(before: str, after: str) -> int:
    at = next((n for n, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), None)
    return min(len(before), len(after)) if at is None else at


def _parting(before: object, after: object, path: str = "") -> str:
    """The path of the first difference between two JSON values; empty: there is none."""
    pairs: list[tuple[str, object, object]]
    if isinstance(before, dict) and isinstance(after, dict):
        was, now = cast("dict[str, Any]", before), cast("dict[str, Any]", after)
        pairs = [(name, was.get(name, _ABSENT), now.get(name, _ABSENT)) for name in dict.fromkeys([*was, *now])]
    elif isinstance(before, list) and isinstance(after, list):
        longest = zip_longest(cast("list[Any]", before), cast("list[Any]", after), fillvalue=_ABSENT)
        pairs = [(str(number), one, other) for number, (one, other) in enumerate(longest)]
    else:
        return "" if before == after else path or "the whole"
    inner = (_parting(one, other, f"{path}.{name}" if path else name) for name, one, other in pairs)
    return next(filter(None, inner), "")
