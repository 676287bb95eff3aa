"""The functions that turn our errors into what a client sees: one for tools, one for everything else.

A denial and an absence read the same; a mistake of the caller says how to mend it; anything
unexpected says nothing but that it failed. Reasons are in the audit and the log.
"""

from typing import Any

from mcp.server.mcpserver.exceptions import ToolError
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    CallToolResult,
    InputRequiredResult,
    TextContent,
)

from casewright.contracts.tool_failures import NO_ANSWER, failed
from casewright.errors import (
    CasewrightError,
    ConflictError,
    DeniedError,
    InputError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)

WATERMARK_KEY = "casewright/watermark"
"""In `_meta` of a result; the same text is its last text block, for clients that drop `_meta`."""
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
            return ToolError(NO_ANSWER)
        case _:
            return ToolError(failed(tool))


def entry_error(error: CasewrightError, *, kind: str, hidden: str) -> MCPError:
    """What a failed read of a resource, a prompt or a completion answers; it never names what was asked for."""
    match error:
        case UnauthenticatedError():
            return protocol_error()
        case DeniedError() | NotFoundError():  # one answer: what was asked for may be another's
            return MCPError(code=INVALID_PARAMS, message=f"this {kind} is {hidden}")
        case InputError() | ConflictError():
            return MCPError(code=INVALID_PARAMS, message=str(error))
        case UnavailableError():
            return MCPError(code=INTERNAL_ERROR, message=NO_ANSWER)
        case _:
            return MCPError(code=INTERNAL_ERROR, message="the server cannot answer now; the reason is in its log")


def protocol_error() -> MCPError:
    """The answer to any request without a valid token."""
    return MCPError(code=INVALID_REQUEST, message=HOW_TO_AUTHENTICATE)


def watermarked(result: CallToolResult | InputRequiredResult, text: str) -> CallToolResult | InputRequiredResult:
    """The result saying for whom it was made.

    Raises:
        DeniedError: the result has no place for it (`obligation_unmet`).
    """
    if not text:
        return result
    if not isinstance(result, CallToolResult):
        raise DeniedError("a question to the user carries no watermark", code="obligation_unmet")
    meta: dict[str, Any] = {**(result.meta or {}), WATERMARK_KEY: text}
    content = [*result.content, TextContent(type="text", text=text)]
    return result.model_copy(update={"meta": meta, "content": content})
