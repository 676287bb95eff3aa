"""Runs what was permitted: within its call, with a deadline, and with a record of whatever did not finish."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
from mcp.server.mcpserver.exceptions import ToolError

from casewright.errors import CasewrightError, UnavailableError
from servers.client_side import working
from servers.guard import Call, Guard, enter_call, leave_call

RECORD_SECONDS = 5.0
"""How long a call that was cancelled may take to say so in the audit."""


@asynccontextmanager
async def running(guard: Guard, call: Call, *, seconds: float) -> AsyncGenerator[None]:
    """The permitted call, for the length of the block.

    Raises:
        UnavailableError: it took longer.
    """
    token = enter_call(call)
    try:
        with working(seconds):
            yield
    except CasewrightError as error:
        await guard.failed(call, error)
        raise
    except TimeoutError as error:
        await guard.failed(call, error)
        raise UnavailableError(f"{call.action.tool!r} took longer than {seconds:g} seconds") from error
    except ToolError as error:
        await guard.failed(call, error.__cause__ or error)
        raise
    except anyio.get_cancelled_exc_class() as error:
        with anyio.move_on_after(RECORD_SECONDS, shield=True):
            await guard.failed(call, error)
        raise
    finally:
        leave_call(token)
