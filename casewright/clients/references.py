"""Reads an entry of a client's file as that client would: variables filled in from its environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from casewright.clients.entries import DIALECTS, PREFIX, token_variable
from casewright.clients.places import ClientName

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_INPUT = f"input:{PREFIX}token-"


class MissingError(ValueError):
    """A variable has no value here. `name` is what to set for it; empty: it cannot be known outside the client."""

    def __init__(self, reference: str, name: str) -> None:
        super().__init__(reference)
        self.reference = reference
        self.name = name


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """What a client would start or reach."""

    command: str = ""
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str]
    folder: str = ""
    """Empty: whatever folder the client happens to be in."""
    url: str = ""
    headers: Mapping[str, str]


def is_ours(name: str, entry: Any) -> bool:
    """Whether an entry is a server of Casewright, by its name or by what it starts."""
    if name.startswith(PREFIX) or name == PREFIX.rstrip("-"):
        return True
    there = _named(entry)
    command = str(there.get("command", "")).replace("\\", "/").rpartition("/")[2].removesuffix(".exe")
    return command == "casewright" or "casewright.launch" in _texts(there.get("args"))


def resolve(client: ClientName, entry: Any, environment: Mapping[str, str]) -> Resolved:
    """The entry with every variable filled in.

    Raises:
        MissingError: one of them has no value here.
        ValueError: the entry is not one that the client could use; the text says why.
    """
    if not isinstance(entry, Mapping):
        raise ValueError("the entry is no object")  # noqa: TRY004 - it comes from a file, not from a program
    there = cast(Mapping[str, Any], entry)

    def filled(value: Any) -> str:
        return _VARIABLE.sub(lambda found: _value(client, found.group(1), environment), str(value))

    if not there.get("command") and not there.get("url"):
        raise ValueError("the entry names neither a command nor a url")
    return Resolved(
        command=filled(there.get("command", "")),
        arguments=tuple(filled(word) for word in _texts(there.get("args"))),
        environment={name: filled(value) for name, value in _named(there.get("env")).items()},
        folder=filled(there.get("cwd", "")),
        url=filled(there.get("url", "")),
        headers={name: filled(value) for name, value in _named(there.get("headers")).items()},
    )


def _value(client: ClientName, inner: str, environment: Mapping[str, str]) -> str:
    reference, kind = f"${{{inner}}}", DIALECTS[client].naming
    if kind == "":
        return reference  # this client knows no variables: the server gets the letters
    name = ""
    if kind == "env":
        name, _, default = inner.partition(":-")
        if name not in environment and ":-" in inner:
            return default
    elif inner.startswith("env:"):
        name = inner.removeprefix("env:")
    elif kind == "ask" and inner.startswith(_INPUT):
        name = token_variable(inner.removeprefix(_INPUT))
    if name not in environment:
        raise MissingError(reference, name)
    return environment[name]


def _texts(value: Any) -> list[str]:
    return [str(word) for word in cast(list[Any], value)] if isinstance(value, list) else []


def _named(value: Any) -> dict[str, Any]:
    return {str(name): item for name, item in cast(Mapping[str, Any], value).items()} if _is_mapping(value) else {}


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)
