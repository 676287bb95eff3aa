"""Processes that a measurement starts: this checkout's commands and servers, ended when it is over."""

import asyncio
import contextlib
import os
import platform
import socket
import sys
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from casewright.config import app_root
from casewright.errors import CasewrightError, InputError

COMMAND_SECONDS = 600
START_SECONDS = 60
HOST = "127.0.0.1"


def machine() -> dict[str, Any]:
    """What the figures were made on."""
    return {
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "system": platform.system(),
        "processor": platform.machine(),
    }


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a process that finds this application's folders."""
    path = os.pathsep.join(part for part in (str(app_root()), os.environ.get("PYTHONPATH", "")) if part)
    return {**os.environ, "PYTHONPATH": path, **(more or {})}


async def run_command(*arguments: str) -> str:
    """Run one `casewright` command; what it printed.

    Raises:
        InputError: it failed.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "casewright.launch",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(),
    )
    out, errors = await asyncio.wait_for(process.communicate(), timeout=COMMAND_SECONDS)
    if process.returncode != 0:
        raise InputError(f"{' '.join(arguments)!r} failed: {errors.decode(errors='replace')[-500:]}")
    return out.decode()


@asynccontextmanager
async def listening(
    port: int, *command: str, more: Mapping[str, str] | None = None
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A process that listens on a port of this machine for the length of the block.

    Raises:
        CasewrightError: it ended, or did not listen in time.
    """
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, env=environment(more)
    )
    try:
        await _connected(process, port, command)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])


async def _connected(process: asyncio.subprocess.Process, port: int, command: tuple[str, ...]) -> None:
    until = time.monotonic() + START_SECONDS
    while process.returncode is None and time.monotonic() < until:
        try:
            _, writer = await asyncio.open_connection(HOST, port)
        except OSError:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 0.1)
            continue
        writer.close()
        await writer.wait_closed()
        return
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    _, errors = await process.communicate()
    raise CasewrightError(f"{' '.join(command)!r} does not listen: {errors.decode(errors='replace')[-500:]}")
