"""Keeps an evaluation on this machine, and says how: in an empty network namespace, else under a socket guard.

In the namespace there is nothing but loopback, for native code and child processes alike, and the kernel counts what
found no way out. The guard hears Python's own sockets alone, and names the address. Started by `casewright eval run
--isolated`, which becomes the same command inside; what was seen goes into the report and is held by the gates.
"""

import os
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from casewright.config import app_root
from casewright.contracts.evaluation import NetworkSeen
from evals.sockets import LOG_VARIABLE, guarding

NAMESPACE = "an empty network namespace; attempts are counted by the kernel and by a guard in every Python process"
GUARD = "a socket guard in every Python process; native code is not reached"
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1
_REQUEST = "16sH14x"
_MOST_NAMED = 20


def inside(command: Sequence[str], log: Path) -> tuple[list[str], dict[str, str]]:
    """The command and the environment with which it runs closed to the network.

    Args:
        command: program and arguments.
        log: a file for what the guard refuses; it is emptied.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("", encoding="utf-8")
    places = (str(app_root() / "evals" / "guarded_start"), str(app_root()), os.environ.get("PYTHONPATH", ""))
    environment = {
        **os.environ,
        LOG_VARIABLE: str(log.absolute()),
        "PYTHONPATH": os.pathsep.join(part for part in places if part),
    }
    if not has_namespaces():
        return list(command), environment
    return [*_unshare(), sys.executable, "-m", "evals.isolation", *command], environment


def has_namespaces() -> bool:
    """Whether this kernel lets us have a network namespace of our own."""
    return bool(_unshare())


def network_seen() -> NetworkSeen | None:
    """How this process is closed to the network, and what tried to leave so far; None: it is not closed."""
    log = os.environ.get(LOG_VARIABLE, "")
    refused = Path(log).read_text(encoding="utf-8").splitlines() if log and Path(log).is_file() else []
    if is_alone():
        unrouted = _unrouted()
        return NetworkSeen(how=NAMESPACE, attempts=unrouted + len(refused), named=tuple(refused[:_MOST_NAMED]))
    if guarding():
        return NetworkSeen(how=GUARD, attempts=len(refused), named=tuple(refused[:_MOST_NAMED]))
    return None


def is_alone() -> bool:
    """Whether this process's network has loopback and nothing else."""
    return _interfaces(_read("/proc/net/dev")) == {"lo"}


@cache
def _unshare() -> tuple[str, ...]:
    """What puts a command into a network of its own; empty: nothing does.

    Root needs no user namespace, and keeps its rights to files of others without one.
    """
    if shutil.which("unshare") is None:
        return ()
    ways = (("unshare", "--net", "--"), ("unshare", "--user", "--map-root-user", "--net", "--"))
    return next((way for way in ways if _works(way)), ())


def _works(way: Sequence[str]) -> bool:
    done = subprocess.run(  # noqa: S603 - our own Python
        [*way, sys.executable, "-c", ""],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=30,
        check=False,
    )
    return done.returncode == 0


def _interfaces(table: str) -> set[str]:
    return {line.partition(":")[0].strip() for line in table.splitlines() if ":" in line}


def _unrouted() -> int:
    """How often something in this namespace was told that there is no way to an address, by IPv4 and IPv6."""
    rows = [line.split() for line in _read("/proc/net/snmp").splitlines() if line.startswith("Ip:")]
    four = dict(zip(*rows, strict=True)) if len(rows) == 2 else {}
    six = dict(line.split(maxsplit=1) for line in _read("/proc/net/snmp6").splitlines())
    return int(four.get("OutNoRoutes", 0)) + int(six.get("Ip6OutNoRoutes", 0))


def _read(path: str) -> str:
    """A file of the kernel; empty where there is none."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""


def _raise_loopback() -> None:
    """Bring loopback up: a new namespace has it, but down."""
    import fcntl  # not on every system, and only where there are namespaces

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        known = fcntl.ioctl(any_socket, _GET_FLAGS, struct.pack(_REQUEST, b"lo", 0))
        flags = struct.unpack(_REQUEST, known)[1] | _UP
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack(_REQUEST, b"lo", flags))


def main(command: Sequence[str]) -> None:
    """Become the command, in the namespace that this process was started in."""
    if not is_alone():
        sys.exit("evals.isolation: this is no empty network namespace; start it by `casewright eval run --isolated`")
    _raise_loopback()
    os.execvp(command[0], list(command))  # noqa: S606 - what `inside` was given, without a shell


if __name__ == "__main__":
    main(sys.argv[1:])
