"""What is written into a client's file for one server, in that client's own words.

A secret is never among it: a token is asked for by the client, or named as a variable of its
environment, and a client that can do neither is refused with the way out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from casewright.clients.places import ClientName
from casewright.errors import InputError

PREFIX = "casewright-"
"""Every entry and every input of ours begins with it."""
TOKEN = "CASEWRIGHT_TOKEN"  # noqa: S105 - the name of a variable
OURS = frozenset({"type", "command", "args", "env", "url", "headers"})
"""Keys of an entry that are written; whatever else stands in it is the person's."""


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How one client's file differs from the others'."""

    servers: Literal["mcpServers", "servers"]
    comments: bool
    """Whether the client reads comments and a last comma."""
    typed: bool
    """Whether an entry says its transport in `type`."""
    naming: Literal["ask", "env:", "env", ""]
    """How a secret is named: an input that the client asks for, `${env:NAME}`, `${NAME}`, or not at all."""
    http: bool
    """Whether the file can name an address."""


DIALECTS: Mapping[ClientName, Dialect] = {
    "claude-desktop": Dialect(servers="mcpServers", comments=False, typed=False, naming="", http=False),
    "vscode": Dialect(servers="servers", comments=True, typed=True, naming="ask", http=True),
    "cursor": Dialect(servers="mcpServers", comments=True, typed=False, naming="env:", http=True),
    "claude-code": Dialect(servers="mcpServers", comments=False, typed=True, naming="env", http=True),
}


@dataclass(frozen=True, kw_only=True)
class Process:
    """A server that the client starts."""

    server: str
    command: str
    """Absolute: nothing is known of the client's PATH."""
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """Settings, no secrets."""
    needs_token: bool = False


@dataclass(frozen=True, kw_only=True)
class Address:
    """A server that runs already."""

    server: str
    url: str
    needs_token: bool = False
    """False: the client signs in by OAuth."""


Wanted = Process | Address


def entry_name(wanted: Wanted) -> str:
    """The name under which the client lists the server."""
    return PREFIX + wanted.server


def token_variable(server: str) -> str:
    """The variable of the client's environment that holds the token for one server; each server has its own."""
    return f"{TOKEN}_{server.upper().replace('-', '_')}"


def entry(client: ClientName, wanted: Wanted) -> dict[str, Any]:
    """The entry for one server.

    Raises:
        InputError: the client cannot start or reach it without a secret in its file, or would change the text.
    """
    dialect = DIALECTS[client]
    document: dict[str, Any] = {"type": "stdio" if isinstance(wanted, Process) else "http"} if dialect.typed else {}
    match wanted:
        case Process():
            _unchanged_by(dialect, wanted.command, *wanted.arguments, *wanted.environment.values())
            environment = dict(wanted.environment)
            if wanted.needs_token:
                environment[TOKEN] = _reference(client, wanted.server)
            document |= {"command": wanted.command, "args": list(wanted.arguments)}
            if environment:
                document["env"] = environment
        case Address():
            if not dialect.http:
                raise InputError(
                    f"{client!r} takes no addresses in its file; add {wanted.url!r} in its settings, under "
                    "Connectors, or leave out --http so that it starts the server itself"
                )
            _unchanged_by(dialect, wanted.url)
            document["url"] = wanted.url
            if wanted.needs_token:
                document["headers"] = {"Authorization": f"Bearer {_reference(client, wanted.server)}"}
    return document


def inputs(client: ClientName, wanted: Wanted) -> tuple[dict[str, Any], ...]:
    """What the client asks its user for, for one entry; most clients ask nothing."""
    if DIALECTS[client].naming != "ask" or not wanted.needs_token:
        return ()
    said = f"Casewright: token for {wanted.server} (casewright token {wanted.server})"
    return ({"type": "promptString", "id": _input_id(wanted.server), "description": said, "password": True},)


def _reference(client: ClientName, server: str) -> str:
    match DIALECTS[client].naming:
        case "ask":
            return f"${{input:{_input_id(server)}}}"
        case "env:":
            return f"${{env:{token_variable(server)}}}"
        case "env":
            return f"${{{token_variable(server)}}}"
        case "":
            raise InputError(
                f"{client!r} can neither ask for a token nor take one from elsewhere, and a token is not written into "
                "its file; install the bundle of `casewright mcp bundle` (it keeps the token in the system's key "
                "store), or sign in to the servers over HTTP under Settings, Connectors"
            )


def _input_id(server: str) -> str:
    return f"{PREFIX}token-{server}"


def _unchanged_by(dialect: Dialect, *texts: str) -> None:
    """Refuse texts that a client would take for a variable.

    Raises:
        InputError: one of them holds `${`.
    """
    for text in texts:
        if dialect.naming and "${" in text:
            raise InputError(f"{text!r} holds '${{', which this client would replace; use another path or address")
