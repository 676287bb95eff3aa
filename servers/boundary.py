"""The one function that turns our errors into what a client sees.

A denial and an absence read the same; a mistake of the caller says how to mend it; anything
unexpected says nothing but that it failed. Reasons are in the audit and the log.
"""

from mcp.server.mcpserver.exceptions import ToolError
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_REQUEST

from casewright.errors import (
    CasewrightError,
    ConflictError,
    DeniedError,
    InputError,
    UnauthenticatedError,
    UnavailableError,
)

HOW_TO_AUTHENTICATE = (
    "a valid token for this server is needed. On stdio put it into CASEWRIGHT_TOKEN, on HTTP into the "
    "Authorization header as a bearer token; `casewright token` makes one for a local identity"
)


def tool_error(error: CasewrightError, *, tool: str, hidden: str) -> Exception:
    """What a failed tool call answers."""
    match error:
        case UnauthenticatedError():
            return protocol_error()
        case DeniedError():
            return ToolError(f"{tool!r} is {hidden}")
        case InputError() | ConflictError():  # absent things are input errors, too
            return ToolError(str(error))
        case UnavailableError():
            return ToolError("a part of the server does not answer; try again in a moment")
        case _:
            return ToolError(f"{tool!r} failed; the reason is in the server's log")


def protocol_error() -> MCPError:
    """The answer to any request without a valid token."""
    return MCPError(code=INVALID_REQUEST, message=HOW_TO_AUTHENTICATE)
