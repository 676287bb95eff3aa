"""Refuses and notes every connection and look-up beyond this machine, in one Python process.

It hears what Python's own sockets do (audit events), also those of asyncio; it does not reach into native libraries,
which the empty network namespace of `evals.isolation` does. Installed at the start of every process of a guarded
evaluation by `evals/guarded_start/sitecustomize.py`, and never taken away again: Python cannot.
"""

import ipaddress
import os
import socket
import sys
from collections.abc import Mapping
from typing import cast

LOG_VARIABLE = "EVALS_NETWORK_LOG"
"""The file that attempts are noted in. It weakens nothing: where it is set, more is refused."""
_ADDRESSED = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_LOOKED_UP = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
_guarding: list[str] = []


class NetworkClosedError(PermissionError):
    """Something tried to leave this machine during an evaluation that is closed to the network."""


def install(environment: Mapping[str, str]) -> None:
    """Guard this process from now on, where the environment names a log."""
    log = environment.get(LOG_VARIABLE, "")
    if log and not _guarding:
        _guarding.append(log)
        sys.addaudithook(_heard)


def guarding() -> bool:
    """Whether this process is guarded."""
    return bool(_guarding)


def is_here(host: object) -> bool:
    """Whether an address or name can only mean this machine."""
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if name in {None, "", "localhost"}:
        return True
    try:
        address = ipaddress.ip_address(str(name).partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _heard(event: str, arguments: tuple[object, ...]) -> None:
    if event in _ADDRESSED:
        opened, address = arguments[0], arguments[1]
        ours = isinstance(opened, socket.socket) and opened.family not in (socket.AF_INET, socket.AF_INET6)
        if not ours and isinstance(address, tuple):
            _refuse(event, address[0])  # pyright: ignore[reportUnknownArgumentType]
    elif event in _LOOKED_UP:
        _refuse(event, arguments[0])
    elif event == "socket.getnameinfo":  # asks a name server for the name of an address
        _refuse(event, cast("tuple[object, ...]", arguments[0])[0])


def _refuse(event: str, host: object) -> None:
    if is_here(host):
        return
    with open(_guarding[0], "a", encoding="utf-8") as log:  # noqa: PTH123 - pathlib is not loaded in every process
        log.write(f"{event.removeprefix('socket.')} {host!r} by process {os.getpid()}\n")
    raise NetworkClosedError(f"{host!r} is not on this machine; an isolated evaluation reaches loopback only")
