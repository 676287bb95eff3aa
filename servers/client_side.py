"""The client of the call that is being served: whether its user can be asked, and how it is told of progress.

The SDK's context is held for the length of a call, so that a tool needs no parameter for it. What a
client says that it can is a claim: it opens nothing but the question itself. It knows no guard and
asks nothing by itself: see `servers.asking`.
"""

import math
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import anyio
from mcp.server.mcpserver import Context
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitationCapability
from mcp_types.version import is_version_at_least

ANSWERS_BY_RETRY = "2026-07-28"
"""From this revision on a question is the result of a call, which is made again with the answer."""

_client: ContextVar[Context[Any, Any] | None] = ContextVar("casewright_client", default=None)
_working: ContextVar[anyio.CancelScope | None] = ContextVar("casewright_working", default=None)
current_client = _client.get
"""The SDK's context of the call being served; None where there is no client, as in the API's own reads."""


@contextmanager
def serving(context: Context[Any, Any] | None) -> Generator[None]:
    """Hold the client of a call for the length of the block."""
    before = _client.set(context)
    try:
        yield
    finally:
        _client.reset(before)


@contextmanager
def working(seconds: float) -> Generator[None]:
    """A deadline for the work of a call, which does not count while people are waited for.

    Raises:
        TimeoutError: the time is over.
    """
    with anyio.fail_after(seconds) as scope:
        before = _working.set(scope)
        try:
            yield
        finally:
            _working.reset(before)


@contextmanager
def waiting(seconds: float) -> Generator[None]:
    """Stop the deadline of the work for the length of the block, which has one of its own.

    Raises:
        TimeoutError: `seconds` are over.
    """
    scope = _working.get()
    if scope is None:
        with anyio.fail_after(seconds):
            yield
        return
    left = scope.deadline - anyio.current_time()
    scope.deadline = math.inf
    try:
        with anyio.fail_after(seconds):
            yield
    finally:
        scope.deadline = anyio.current_time() + left


def answers_by_retry(context: Context[Any, Any]) -> bool:
    """Whether a question to this client is the result of its call; else it is a request within the call."""
    version = context.protocol_version
    return version is not None and is_version_at_least(version, ANSWERS_BY_RETRY)


def can_be_asked() -> bool:
    """Whether the client says that its user can fill in a form, and the question can reach it."""
    found = _elicitation()
    return found is not None and (found.form is not None or found.url is None)


def can_open_links() -> bool:
    """Whether the client says that its user can be sent to an address."""
    found = _elicitation()
    return found is not None and found.url is not None


async def tell_progress(done: float, message: str) -> None:
    """Tell the client what has been done, if it asked for progress; one that is gone is not told."""
    context = _client.get()
    if context is None:
        return
    try:
        await context.report_progress(done, message=message)
    except MCPError:
        return


def _elicitation() -> ElicitationCapability | None:
    """What the client can ask its user, where a question can get there at all."""
    context = _client.get()
    if context is None or context.protocol_version is None or context.client_capabilities is None:
        return None
    if not answers_by_retry(context) and not context.session.can_send_request:
        return None
    return context.client_capabilities.elicitation
