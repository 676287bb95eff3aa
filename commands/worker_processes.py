"""Worker processes beside another process: begun with it, begun again after a pause when they die, ended with it.

A worker notices by itself when its parent is gone without a word: its standard input ends. It is
*not* what drives runs (see `graphs.worker`), and nothing is lost when a worker dies.
"""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

MOST_WORKERS = 16
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""A worker that lived so long did not die of how it was begun."""
END_SECONDS = 35.0
"""A worker that is told to stop finishes its step; after that it is killed."""
_log = logging.getLogger("casewright.api")


class WorkerProcesses:
    """Some workers over one data folder, for the length of an `async with`."""

    def __init__(
        self, home: Path, count: int, command: Sequence[str] | None = None, handed: Sequence[int] = ()
    ) -> None:
        """`command` begins one worker; by default this installation's own. `handed`: open files that it inherits."""
        own = (sys.executable, "-m", "casewright.launch", "worker", "--with-stdin", "--home", str(home))
        self._command = tuple(command or own)
        self._count = count
        self._handed = tuple(handed)
        self._keeping: list[asyncio.Task[None]] = []
        self._running: set[asyncio.subprocess.Process] = set()
        self._stopping = False

    async def __aenter__(self) -> "WorkerProcesses":
        self._keeping = [asyncio.create_task(self._keep(number)) for number in range(1, self._count + 1)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        for process in list(self._running):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        if self._running:
            ended = [asyncio.create_task(process.wait()) for process in self._running]
            _, late = await asyncio.wait(ended, timeout=END_SECONDS)
            if late:
                _log.warning("%d worker(s) did not stop in %d s and are killed", len(late), int(END_SECONDS))
        for process in list(self._running):
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        for task in self._keeping:
            task.cancel()
        await asyncio.gather(*self._keeping, return_exceptions=True)

    @property
    def process_ids(self) -> tuple[int, ...]:
        """Of the workers that live now."""
        return tuple(sorted(process.pid for process in self._running))

    async def _keep(self, number: int) -> None:
        """Begin a worker again and again, with growing pauses as long as it dies soon."""
        pause, clock = FIRST_PAUSE_SECONDS, asyncio.get_running_loop().time
        while not self._stopping:
            begun = clock()
            code = await self._one()
            if self._stopping:
                return
            pause = FIRST_PAUSE_SECONDS if clock() - begun > STEADY_SECONDS else pause
            _log.error("worker %d ended with %d; another is begun in %.0f s", number, code, pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _one(self) -> int:
        # A session of its own: Ctrl-C at the terminal reaches this process alone, which then tells the worker once.
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=self._handed,
        )
        self._running.add(process)
        try:
            return await process.wait()
        finally:
            self._running.discard(process)
