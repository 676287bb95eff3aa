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
READING = "admin/read_policy_data"
"""The tool that shows controls; it stays on as well, so that one can look while everything is off."""
MAX_ENTRIES = 100
MAX_DIGITS = 15
PROVIDERS = ("anthropic", "langchain", "offline")
"""The first part of every model's name; alone it names all models of the provider."""
_MODEL = re.compile(rf"(?:{'|'.join(PROVIDERS)})(?:/[A-Za-z0-9_.:/-]{{1,200}})?")
_FLAGS = {"true": True, "false": False}


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What a change is held to and counted as."""

    reviewed: ReviewedData
    tenant: str
    """Whose controls they are; nobody switches another tenant off."""
    version: int
    """The change's number; changes of all tenants are counted together."""


@dataclass(frozen=True, kw_only=True)
class ControlChange:
    """One change that fits: what was at the path, what is there now, and the controls with it."""

    path: str
    old: object
    new: object
    controls: Controls


def changed(controls: Controls, path: str, value: str, scope: Scope) -> ControlChange:
    """The controls with `value` at `path`, under the version of the scope.

    Raises:
        InputError: the path is none, the value does not fit it, a name does not exist or is another
            tenant's, or a limit is above the ceiling of the reviewed policy data.
    """
    if path not in PATHS:
        raise InputError(f"{path!r} is no control; set one of {', '.join(PATHS)}")
    document = controls.model_dump()
    if path in LIMITS:
        old, new = _set_limit(document["limits"], path, value, scope.reviewed)
    else:
        switches, name = document["switches"], path.partition(".")[2]
        old = switches[name]
        new = _flag(value) if path == EVERYTHING else _entries(name, old, value, scope)
        switches[name] = new
    document["version"] = scope.version
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


def _entries(name: str, old: tuple[str, ...], value: str, scope: Scope) -> tuple[str, ...]:
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
            _CHECKS[name](entry, scope)
            kept.add(entry)
    if len(kept) > MAX_ENTRIES:
        raise InputError(f"'switches.{name}' would hold {len(kept)} entries; at most {MAX_ENTRIES} are kept")
    return tuple(sorted(kept))


def _remove(kept: set[str], name: str, entry: str) -> None:
    if entry not in kept:
        there = ", ".join(sorted(kept)) or "nothing"
        raise InputError(f"{entry!r} is not in 'switches.{name}', which holds {there}")
    kept.remove(entry)


def _check_tool(entry: str, scope: Scope) -> None:
    reviewed = scope.reviewed
    if entry not in reviewed.tool_names:
        raise InputError(f"there is no tool or server {entry!r}; known are {', '.join(sorted(reviewed.tools))}")
    if any(entry in (tool, tool.partition("/")[2]) for tool in (SWITCHING, READING)):
        raise InputError(
            f"{entry!r} is what shows or changes the switches; it stays on. Take the role from whoever misuses it"
        )


def _check_agent(entry: str, scope: Scope) -> None:
    if entry not in scope.reviewed.agents:
        raise InputError(f"there is no agent {entry!r}; known are {', '.join(sorted(scope.reviewed.agents))}")


def _check_model(entry: str, _scope: Scope) -> None:
    if not _MODEL.fullmatch(entry):
        raise InputError(
            f"{entry!r} names no model; write provider/model, such as 'offline/extractive', "
            f"or a provider alone: {', '.join(PROVIDERS)}"
        )


def _check_tenant(entry: str, scope: Scope) -> None:
    if entry != scope.tenant:
        raise InputError(
            f"{entry!r} is not your tenant {scope.tenant!r}; live controls are each tenant's own, "
            "so ask somebody of that tenant to switch it off"
        )


_CHECKS = cast(
    "dict[str, Callable[[str, Scope], None]]",
    {"tools": _check_tool, "agents": _check_agent, "models": _check_model, "tenants": _check_tenant},
)
