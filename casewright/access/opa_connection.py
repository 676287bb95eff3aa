"""Asks an OPA server from any thread, within a time limit that nothing can stretch.

The client lives on one event loop in a thread of its own, where connections are kept and shared.
The asking thread waits no longer than its limit, whatever the server or the loop do; what is late
is cancelled. (The library's synchronous client limits each read, so a slow drip passes it.)
`OpaEngine` owns one.
"""

import asyncio
import concurrent.futures
import threading
from collections.abc import Mapping
from typing import Any

from casewright.access.opa_client import DecisionClient, OpaUnusableError

_CLOSING_SECONDS = 2.0


class OpaConnection:
    """One client and the loop it lives on; both are started with the first question."""

    def __init__(self, client: DecisionClient) -> None:
        self._client = client
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def ask(self, rule: str, document: Mapping[str, object], *, budget_seconds: float) -> dict[str, Any]:
        """The server's answer to one rule.

        Raises:
            OpaUnusableError: no answer in time, or none that can be read.
        """
        asking = self._client.ask(rule, document)
        try:
            waiting = asyncio.run_coroutine_threadsafe(asking, self._running_loop())
        except RuntimeError as error:  # the loop was closed meanwhile
            asking.close()
            raise OpaUnusableError("the connection is closed") from error
        try:
            return waiting.result(budget_seconds)
        except concurrent.futures.TimeoutError as error:
            raise OpaUnusableError(f"no answer in {budget_seconds * 1000:.0f} ms") from error
        except concurrent.futures.CancelledError as error:
            raise OpaUnusableError("the connection was closed while it was asked") from error
        finally:
            waiting.cancel()

    def close(self) -> None:
        """Close the connections and end the thread; questions under way fail. Safe to call twice."""
        with self._starting:
            self._closed = True
            loop, self._loop = self._loop, None
        if loop is None or self._thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._shut_down(), loop)
        if threading.current_thread() is not self._thread:  # the garbage collector closes in any thread
            self._thread.join(_CLOSING_SECONDS)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._closed:
                raise RuntimeError("closed")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=_serve, args=(self._loop,), name="opa-connection", daemon=True)
                self._thread.start()
            return self._loop

    async def _shut_down(self) -> None:
        await self._client.close_connection()
        loop = asyncio.get_running_loop()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others, timeout=_CLOSING_SECONDS / 2)
        loop.stop()


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()
