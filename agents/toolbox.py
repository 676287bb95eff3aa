"""How a specialist calls its tools: over MCP, counted, with typed results.

A refusal is an exception with the server's own words; it never becomes free text for a model.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from mcp import Client
from mcp.server.mcpserver import MCPServer
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CONNECTION_CLOSED,
    INTERNAL_ERROR,
    REQUEST_TIMEOUT,
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
)
from pydantic import BaseModel, ValidationError

from casewright.contracts.tool_failures import is_servers_own
from casewright.errors import CasewrightError, IncompleteError, UnavailableError
from casewright.replay.made_call import Ending, MadeCall

ModelT = TypeVar("ModelT", bound=BaseModel)
REVISION = "2026-07-28"
"""Of the protocol, towards our own servers in this process: nobody has to ask which one they speak."""
_OF_THE_SERVER = (INTERNAL_ERROR, CONNECTION_CLOSED, REQUEST_TIMEOUT, 0)
"""Codes of errors that the caller did not cause; 0 is what the SDK gives what a handler raised."""


class ToolRefusedError(CasewrightError):
    """Go another way: the server did not do what was asked, and said why."""


class BudgetSpentError(IncompleteError):
    """Wrap up: what this run may spend is spent."""


@dataclass
class ToolBudget:
    """Counts the tool calls of one run across all its specialists, and keeps those of the present step."""

    limit: int
    spent: int
    made: list[MadeCall] = field(default_factory=list[MadeCall])
    """What was called and what came back, in the order of the endings; whoever ends the step records it."""

    def take(self) -> None:
        if self.spent >= self.limit:
            raise BudgetSpentError(f"the run has used its {self.limit} tool calls")
        self.spent += 1


class Toolbox(Protocol):
    """The tools of one specialist in one run."""

    async def call(self, tool: str, arguments: Mapping[str, Any], result: type[ModelT]) -> ModelT:
        """Call a tool and read its structured result.

        Raises:
            ToolRefusedError: the server refused, or answered something else.
            UnavailableError: the server failed; the same call may be made again.
            BudgetSpentError: no call is left.
        """
        ...


class McpToolbox:
    """A toolbox over an open MCP client."""

    def __init__(self, client: Client, budget: ToolBudget) -> None:
        self._client = client
        self._budget = budget

    async def call(self, tool: str, arguments: Mapping[str, Any], result: type[ModelT]) -> ModelT:
        self._budget.take()
        # Not `call_tool`: it lists the tools first and compiles JSON schemas, on every new connection. What
        # comes back is checked below, against the stricter model that the specialist reads.
        request = CallToolRequest(params=CallToolRequestParams(name=tool, arguments=dict(arguments)))
        try:
            answer = await self._client.session.send_request(request, CallToolResult)
        except MCPError as error:
            self._keep(tool, arguments, "failed", said=error.message, code=error.code)
            raise broken(tool, error) from error
        said = " ".join(block.text for block in answer.content if block.type == "text")
        if answer.is_error or answer.structured_content is None:
            self._keep(tool, arguments, "refused", said=said)
            raise refusal(tool, said)
        self._keep(tool, arguments, "answered", result=answer.structured_content)
        return read_result(tool, answer.structured_content, result)

    def _keep(self, tool: str, arguments: Mapping[str, Any], ending: Ending, **what: Any) -> None:
        self._budget.made.append(MadeCall(tool=tool, arguments=dict(arguments), ending=ending, **what))


def broken(tool: str, error: MCPError) -> CasewrightError | MCPError:
    """The exception for an error of the protocol: the server's own failure may pass, anything else may not."""
    if error.code in _OF_THE_SERVER:
        return UnavailableError(f"the server of {tool!r} failed while it was called")
    return error


def refusal(tool: str, said: str) -> CasewrightError:
    """The exception for what a server did not do, in its words; its own failure may pass, a refusal does not."""
    if is_servers_own(tool, said):
        return UnavailableError(f"{tool!r} could not be done: {said}")
    return ToolRefusedError(f"{tool!r} was refused: {said}")


def read_result(tool: str, structured: Mapping[str, Any], result: type[ModelT]) -> ModelT:
    """A structured result as the specialist reads it.

    Raises:
        ToolRefusedError: it is something else.
    """
    try:
        return result.model_validate(structured)
    except ValidationError as error:
        raise ToolRefusedError(f"{tool!r} answered something that is no {result.__name__}") from error


@asynccontextmanager
async def open_toolbox(server: MCPServer[Any], budget: ToolBudget) -> AsyncGenerator[McpToolbox, None]:
    """A toolbox over a server in this process, for the length of the block.

    A failure inside the block leaves it as itself: the client's task group would otherwise wrap
    it in an exception group that nobody expects.
    """
    failure: CasewrightError | MCPError | None = None
    async with Client(server, mode=REVISION) as client:
        try:
            yield McpToolbox(client, budget)
        except (CasewrightError, MCPError) as error:
            failure = error
    if failure is not None:
        raise failure
