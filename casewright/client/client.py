"""Sends calls to the API: `Client` waits, `AsyncClient` is awaited; both do the same.

What may be repeated without doing more is sent again when the API is busy or out of reach, a few times. Events are
followed across broken connections, from the last one that came.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Generator
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2

from casewright.client.calls import (
    Answered,
    AnswerT,
    Call,
    PageCall,
    is_repeatable,
    path_of,
    problem_of,
    read,
    unreachable,
    wait_seconds,
)
from casewright.client.errors import ApiBusyError, ApiError, ApiUnreachableError, error_of
from casewright.client.following import Following
from casewright.client.models import RunEvent

ItemT = TypeVar("ItemT")
Token = str | Callable[[], str]
"""A bearer token, or what gives the one to use now."""
ATTEMPTS = 4
TIMEOUT_SECONDS = 30.0
SILENCE_SECONDS = 60.0
"""A stream of events on which nothing comes for so long, not even a sign of life, is taken up anew."""


class _Settings:
    """What both clients know."""

    def __init__(self, token: Token, attempts: int) -> None:
        self._token = token
        self.attempts = attempts

    def request(self, call: Call[Any]) -> dict[str, Any]:
        """The arguments of the request; a body is given as JSON, and an absent one not at all."""
        found: dict[str, Any] = {
            "method": call.method,
            "url": call.path,
            "params": dict(call.params),
            "headers": {**self.authorization(), **call.headers},
        }
        return found if call.body is None else {**found, "json": dict(call.body)}

    def authorization(self) -> dict[str, str]:
        token = self._token() if callable(self._token) else self._token
        return {"authorization": f"Bearer {token}"} if token else {}

    def again(self, call: Call[Any], attempt: int, error: ApiError) -> float | None:
        """How long to wait before it is sent again; None: it is not."""
        busy = isinstance(error, ApiBusyError | ApiUnreachableError)
        if not busy or not is_repeatable(call) or attempt + 1 >= self.attempts:
            return None
        return wait_seconds(attempt, error.problem)


class Client:
    """The API of one address, for one person."""

    def __init__(
        self,
        url: str,
        token: Token,
        *,
        attempts: int = ATTEMPTS,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """`token` is for the audience `casewright:orchestrator`, such as `casewright token orchestrator` makes."""
        self._settings = _Settings(token, attempts)
        self._http = httpx2.Client(base_url=url, timeout=TIMEOUT_SECONDS, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the connections."""
        self._http.close()

    def send(self, call: Call[AnswerT]) -> AnswerT:
        """The answer of a call.

        Raises:
            ApiError: its subclass says what to do next.
        """
        return self.answered(call).value

    def answered(self, call: Call[AnswerT]) -> Answered[AnswerT]:
        """The answer with its tag and the id of its request.

        Raises:
            ApiError: its subclass says what to do next.
        """
        attempt = 0
        while True:
            try:
                return read(call, self._once(call))
            except ApiError as error:
                wait = self._settings.again(call, attempt, error)
                if wait is None:
                    raise
                attempt += 1
                time.sleep(wait)

    def pages(self, call: PageCall[ItemT]) -> Generator[ItemT]:
        """Every entry of a list, page after page."""
        while True:
            page = self.send(call)
            yield from page.items
            if page.next_cursor is None:
                return
            call = call.after(page.next_cursor)

    def follow(self, run_id: str, *, after: int = 0) -> Generator[RunEvent]:
        """What a run does, as it does it, until it has ended; each event once, whatever happens to the connection.

        Raises:
            ApiError: the API refuses, or cannot be reached for several times in a row.
        """
        following = Following(path_of("/v1/runs/{run_id}/events", run_id=run_id), after, self._settings.attempts)
        while not following.over:
            try:
                yield from self._stream(following)
            except httpx2.TransportError as error:
                time.sleep(following.broken(unreachable(error)))
            except ApiBusyError as error:
                time.sleep(following.broken(error.problem))

    def _stream(self, following: Following) -> Generator[RunEvent]:
        headers = {**self._settings.authorization(), **following.headers}
        timeout = httpx2.Timeout(TIMEOUT_SECONDS, read=SILENCE_SECONDS)
        with self._http.stream("GET", following.path, headers=headers, timeout=timeout) as response:
            if not response.is_success:
                response.read()
                raise error_of(problem_of(response))
            for event in httpx2.EventSource(response):
                found = following.take(event)
                if found is not None:
                    yield found
                if following.over:
                    return
        following.broke_off()

    def _once(self, call: Call[Any]) -> httpx2.Response:
        try:
            return self._http.request(**self._settings.request(call))
        except httpx2.TransportError as error:
            raise ApiUnreachableError(unreachable(error)) from error


class AsyncClient:
    """The same, awaited."""

    def __init__(
        self,
        url: str,
        token: Token,
        *,
        attempts: int = ATTEMPTS,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        """`token` is for the audience `casewright:orchestrator`, such as `casewright token orchestrator` makes."""
        self._settings = _Settings(token, attempts)
        self._http = httpx2.AsyncClient(base_url=url, timeout=TIMEOUT_SECONDS, transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Release the connections."""
        await self._http.aclose()

    async def send(self, call: Call[AnswerT]) -> AnswerT:
        """The answer of a call.

        Raises:
            ApiError: its subclass says what to do next.
        """
        return (await self.answered(call)).value

    async def answered(self, call: Call[AnswerT]) -> Answered[AnswerT]:
        """The answer with its tag and the id of its request.

        Raises:
            ApiError: its subclass says what to do next.
        """
        attempt = 0
        while True:
            try:
                return read(call, await self._once(call))
            except ApiError as error:
                wait = self._settings.again(call, attempt, error)
                if wait is None:
                    raise
                attempt += 1
                await asyncio.sleep(wait)

    async def pages(self, call: PageCall[ItemT]) -> AsyncGenerator[ItemT]:
        """Every entry of a list, page after page."""
        while True:
            page = await self.send(call)
            for item in page.items:
                yield item
            if page.next_cursor is None:
                return
            call = call.after(page.next_cursor)

    async def follow(self, run_id: str, *, after: int = 0) -> AsyncGenerator[RunEvent]:
        """What a run does, as it does it, until it has ended; each event once, whatever happens to the connection.

        Raises:
            ApiError: the API refuses, or cannot be reached for several times in a row.
        """
        following = Following(path_of("/v1/runs/{run_id}/events", run_id=run_id), after, self._settings.attempts)
        while not following.over:
            try:
                async for event in self._stream(following):
                    yield event
            except httpx2.TransportError as error:
                await asyncio.sleep(following.broken(unreachable(error)))
            except ApiBusyError as error:
                await asyncio.sleep(following.broken(error.problem))

    async def _stream(self, following: Following) -> AsyncGenerator[RunEvent]:
        headers = {**self._settings.authorization(), **following.headers}
        timeout = httpx2.Timeout(TIMEOUT_SECONDS, read=SILENCE_SECONDS)
        async with self._http.stream("GET", following.path, headers=headers, timeout=timeout) as response:
            if not response.is_success:
                await response.aread()
                raise error_of(problem_of(response))
            async for event in httpx2.EventSource(response):
                found = following.take(event)
                if found is not None:
                    yield found
                if following.over:
                    return
        following.broke_off()

    async def _once(self, call: Call[Any]) -> httpx2.Response:
        try:
            return await self._http.request(**self._settings.request(call))
        except httpx2.TransportError as error:
            raise ApiUnreachableError(unreachable(error)) from error
