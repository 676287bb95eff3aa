"""The closed list of paths a control may be set at, and what a value at each of them may be.

Pure: the controls before, a path, a value in words, the controls after. Lists are set whole
(`a,b`, or nothing) or entry by entry (`+a`, `-b`); `default` takes a limit back to the reviewed one.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast, get_args

from casewright.contracts.controls import ActorKind, Budget, Controls
from casewright.controls.reviewed import DATA_FILE, ReviewedData
from casewright.errors import InputError

EVERYTHING = "switches.everything"
LISTS = ("tools", "agents", "models", "tenants")
LIMITS: dict[str, tuple[ActorKind, Budget]] = {
    f"limits.{kind}.{budget}": (kind, budget) for kind in get_args(ActorKind) for budget in get_args(Budget)
}
PATHS = (EVERYTHING, *(f"switches.{name}" for name in LISTS), *LIMITS)
SWITCHING = "admin/set_policy_data"
"""The tool that changes controls; it is never switched off, so that whoever pulled a switch can put it back."""
MAX_ENTRIES = 100
MAX_DIGITS = 15
_MODEL = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.:/-]{1,200}")
_TENANT = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_FLAGS = {"true": True, "false": False}


@dataclass(frozen=True, kw_only=True)
class ControlChange:
    """One change that fits: what was at the path, what is there now, and the controls with it."""

    path: str
    old: object
    new: object
    controls: Controls


def changed(controls: Controls, path: str, value: str, reviewed: ReviewedData) -> ControlChange:
    """The controls with `value` at `path`; the version is the next one.

    Raises:
        InputError: the path is none, the value does not fit it, a name does not exist, or a limit
            is above the ceiling of the reviewed policy data.
    """
    if path not in PATHS:
        raise InputError(f"{path!r} is no control; set one of {', '.join(PATHS)}")
    document = controls.model_dump()
    if path in LIMITS:
        old, new = _set_limit(document["limits"], path, value, reviewed)
    else:
        switches, name = document["switches"], path.partition(".")[2]
        old = switches[name]
        new = _flag(value) if path == EVERYTHING else _entries(name, old, value, reviewed)
        switches[name] = new
    document["version"] = controls.version + 1
    return ControlChange(path=path, old=old, new=new, controls=Controls.model_validate(document))


def _flag(value: str) -> bool:
    if value not in _FLAGS:
        raise InputError(f"{EVERYTHING!r} is true (all is switched off) or false, not {value!r}")
    return _FLAGS[value]


def _set_limit(
    limits: dict[ActorKind, dict[Budget, int]], path: str, value: str, reviewed: ReviewedData
) -> tuple[int | str, int | str]:
    kind, budget = LIMITS[path]
    section = limits.setdefault(kind, {})
    old: int | str = section.pop(budget, "default")
    if value == "default":
        if not section:
            del limits[kind]
        return old, "default"
    section[budget] = _limit(path, value, reviewed.ceilings[kind, budget])
    return old, section[budget]


def _limit(path: str, value: str, ceiling: int) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS and int(value)):
        raise InputError(
            f"{path!r} is a whole number from 1 to {ceiling}, or 'default', not {value!r}; to stop, use a switch"
        )
    if int(value) > ceiling:
        raise InputError(
            f"{path!r} may be at most {ceiling}, not {int(value)}; a higher ceiling is a reviewed change: "
            f"'limits.ceilings' in the policies' {DATA_FILE}"
        )
    return int(value)


def _entries(name: str, old: tuple[str, ...], value: str, reviewed: ReviewedData) -> tuple[str, ...]:
    words = [word.strip() for word in value.split(",")] if value.strip() else []
    if not all(words):
        raise InputError(f"{value!r} holds an empty entry; write a,b or +a or -a")
    signed = [word for word in words if word[0] in "+-"]
    if signed and len(signed) != len(words):
        raise InputError(f"{value!r} mixes whole and single entries; write a,b or +a,-b")
    kept = set(old) if signed else set[str]()
    for word in words:
        entry = word[1:] if signed else word
        if word.startswith("-"):
            _remove(kept, name, entry)
        else:
            _CHECKS[name](entry, reviewed)
            kept.add(entry)
    if len(kept) > MAX_ENTRIES:
        raise InputError(f"'switches.{name}' would hold {len(kept)} entries; at most {MAX_ENTRIES} are kept")
    return tuple(sorted(kept))


def _remove(kept: set[str], name: str, entry: str) -> None:
    if entry not in kept:
        there = ", ".join(sorted(kept)) or "nothing"
        raise InputError(f"{entry!r} is not in 'switches.{name}', which holds {there}")
    kept.remove(entry)


def _check_tool(entry: str, reviewed: ReviewedData) -> None:
    if entry not in reviewed.tool_names:
        raise InputError(f"there is no tool or server {entry!r}; known are {', '.join(sorted(reviewed.tools))}")
    if entry in (SWITCHING, SWITCHING.partition("/")[2]):
        raise InputError(f"{entry!r} is what changes the switches; it stays on. Take the role from whoever misuses it")


def _check_agent(entry: str, reviewed: ReviewedData) -> None:
    if entry not in reviewed.agents:
        raise InputError(f"there is no agent {entry!r}; known are {', '.join(sorted(reviewed.agents))}")


def _check_model(entry: str, _reviewed: ReviewedData) -> None:
    if not _MODEL.fullmatch(entry):
        raise InputError(f"{entry!r} names no model; write provider/model as `runs explain` shows it")


def _check_tenant(entry: str, _reviewed: ReviewedData) -> None:
    if not _TENANT.fullmatch(entry):
        raise InputError(f"{entry!r} is no tenant's name; use letters, digits, '.', '-' and '_'")


_CHECKS = cast(
    "dict[str, Callable[[str, ReviewedData], None]]",
    {"tools": _check_tool, "agents": _check_agent, "models": _check_model, "tenants": _check_tenant},
)
