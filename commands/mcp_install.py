"""`casewright mcp install`: puts our servers into the file of an MCP client, or takes them out."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import typer

from casewright.clients.configuring import installed, is_plain, removed, value_of
from casewright.clients.entries import PREFIX, Address, Process, Wanted, entry_name
from casewright.clients.files import read_configuration, replace_configuration
from casewright.clients.places import CLIENTS, ClientName
from casewright.config import process_environment
from casewright.contracts.principal import ServerName
from casewright.errors import InputError
from commands.client_files import carried_settings, client_path, own_command
from commands.option_groups import taking
from commands.serving import refuse_local_identity
from commands.shell import Shell
from commands.token import ONLY, chosen_servers
from commands.visible import visible_json

OF_ONE_CASE: frozenset[ServerName] = frozenset({"case-facts", "drafting"})
"""Servers that show nothing without a case."""
_AFTERWARDS: dict[ClientName, str] = {
    "claude-desktop": "quit Claude Desktop completely and start it again",
    "vscode": "open the Chat view in agent mode; VS Code asks whether to trust and start the servers",
    "cursor": "open Settings, MCP; the servers are listed there",
    "claude-code": "start a new session; /mcp lists the servers",
}


@dataclass(frozen=True, kw_only=True)
class InstallOptions:
    """What the command line asks for."""

    client: str = typer.Argument(help=f"One of {', '.join(CLIENTS)}.")
    server: list[str] | None = typer.Option(None, help=ONLY)
    case: str = typer.Option("", help="The one case that case-facts and drafting may read.")
    http: str = typer.Option("", help="Servers that run already, by their address: http://127.0.0.1:8750.")
    oauth: bool = typer.Option(False, "--oauth", help="With --http: the client signs in with the issuer.")
    remove: bool = typer.Option(False, "--remove", help="Take the servers out again.")
    show: bool = typer.Option(False, "--print", help="Print the file that would be written, and write nothing.")

    @property
    def servers(self) -> tuple[ServerName, ...]:
        return chosen_servers(self.server)


@taking(InstallOptions)
def install(ctx: typer.Context, options: InstallOptions) -> None:
    """Put the servers into a client's file; everything else in it stays, and a copy of it is kept."""
    shell: Shell = ctx.obj
    client = known_client(options.client)
    path = client_path(client, process_environment())
    before = read_configuration(path)
    if options.remove:
        entries = [PREFIX + name for name in options.servers]
        after = removed(before or "", client, entries, path=str(path))
    else:
        wanted = _wanted(shell, options)
        entries = [entry_name(one) for one in wanted]
        after = installed(before or "", client, wanted, path=str(path))
    if options.show:
        _print(after, client, path)
        return
    changed = after != (before or "")
    backup = replace_configuration(path, before, after, at_ns=shell.services.clock.now_ns()) if changed else None
    document = {
        "client": client,
        "path": str(path),
        "changed": changed,
        "removed": options.remove,
        "backup": str(backup or ""),
        "servers": entries,
        "next": _AFTERWARDS[client] if changed else "",
    }
    shell.show(document, _view)


def known_client(text: str) -> ClientName:
    """A client by name.

    Raises:
        InputError: there is none of that name.
    """
    for name in CLIENTS:
        if name == text:
            return name
    raise InputError(f"there is no client {text!r}; choose one of {', '.join(CLIENTS)}")


def _wanted(shell: Shell, asked: InstallOptions) -> tuple[Wanted, ...]:
    local = shell.settings.identity.issuer is None
    if asked.http:
        base = _address(asked)
        needs_token = local and not asked.oauth
        if needs_token:
            shell.note("each server has its own token: `casewright token SERVER` makes one")
        return tuple(Address(server=name, url=f"{base}/{name}/mcp", needs_token=needs_token) for name in asked.servers)
    if asked.oauth:
        raise InputError("--oauth is for servers that run already; name their address with --http")
    refuse_local_identity(shell.settings, shell.options.identity)
    return _local(shell, asked) if local else _with_tokens(shell, asked)


def _local(shell: Shell, asked: InstallOptions) -> tuple[Process, ...]:
    """Servers that are told who uses them by `--as`; no token is needed."""
    person = shell.principal("review").id
    left_out = OF_ONE_CASE if not asked.case and not asked.server else frozenset[ServerName]()
    if left_out:
        shell.note(f"without --case: {', '.join(sorted(left_out))} are left out, they show nothing without one")
    made: list[Process] = []
    for name in asked.servers:
        if name not in left_out:
            case = ("--case", asked.case) if asked.case and name in OF_ONE_CASE else ()
            made.append(_process(shell, name, "--as", person, *case))
    return tuple(made)


def _with_tokens(shell: Shell, asked: InstallOptions) -> tuple[Process, ...]:
    if asked.case:
        raise InputError(
            f"--case {asked.case!r}: with an issuer the token names the case; make it with "
            f"`casewright token case-facts --case {asked.case}`"
        )
    shell.note("each server has its own token, of minutes: `casewright token SERVER`; over --http the client signs in")
    return tuple(_process(shell, name, needs_token=True) for name in asked.servers)


def _process(shell: Shell, name: ServerName, *identity: str, needs_token: bool = False) -> Process:
    command, *module = own_command()
    return Process(
        server=name,
        command=command,
        arguments=(*module, "mcp", name, "--home", str(shell.settings.home), *identity),
        environment=carried_settings(process_environment()),
        needs_token=needs_token,
    )


def _address(asked: InstallOptions) -> str:
    parts = urlsplit(asked.http)
    if (
        parts.scheme not in ("http", "https")
        or not parts.netloc
        or parts.query
        or parts.fragment
        or "@" in parts.netloc
    ):
        raise InputError(f"--http {asked.http!r} is no plain address; give it like http://127.0.0.1:8750")
    if asked.case:
        raise InputError(f"--case {asked.case!r}: over HTTP the token names the case")
    return asked.http.rstrip("/")


def _print(text: str, client: ClientName, path: Path) -> None:
    """JSON and nothing else; a file with comments is printed without them."""
    if not is_plain(text or "{}", client, path=str(path)):
        text = json.dumps(value_of(text, client, path=str(path)), indent=2, ensure_ascii=False)
    typer.echo(visible_json(text.strip() or "{}"))


def _view(document: dict[str, Any]) -> str:
    if not document["changed"]:
        return f"{document['path']} is as it should be; nothing was changed"
    done = "out of" if document["removed"] else "in"
    lines = [f"{', '.join(document['servers'])} {done} {document['path']}"]
    if document["backup"]:
        lines.append(f"the file as it was: {document['backup']}")
    lines.append(f"next: {document['next']}, then ask `casewright mcp doctor {document['client']}` if nothing shows")
    return "\n".join(lines)
