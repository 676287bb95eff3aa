"""Several processes that serve one address: each inherits the listening socket of this one and does the same.

Nothing of a client lives in one of them: a request may reach any, so sessions of the handshake era are not kept.
This process serves nothing itself; it begins them again when they die, and ends them when it is told to stop.
"""

import asyncio
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from commands.worker_processes import WorkerProcesses

MOST_PROCESSES = 32


def serve_in_processes(
    home: Path, listener: socket.socket, count: int, each: Sequence[str], drivers: WorkerProcesses
) -> None:
    """Keep that many servers until SIGTERM or Ctrl-C; `drivers` are the workers that drive reviews beside them.

    Args:
        each: options of `casewright serve` that every one of them is begun with.
    """
    number, port = listener.fileno(), int(listener.getsockname()[1])
    options = [*each, "--port", str(port), "--listener", str(number), "--home", str(home)]
    command = [sys.executable, "-m", "casewright.launch", "serve", *options]
    asyncio.run(_kept(WorkerProcesses(home, count, command, handed=(number,)), drivers))


async def _kept(servers: WorkerProcesses, drivers: WorkerProcesses) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with drivers, servers:
        await stop.wait()
