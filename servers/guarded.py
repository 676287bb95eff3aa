"""An MCP server in which nothing is reachable but through the guard.

A middleware sees every message: without a valid token only the handshake, `ping` and discovery
answer, and a method that is not on the list is closed, so whatever a later SDK adds stays shut
until someone opens it. Whatever lists, reads, gets, completes or calls is overridden to ask the
access policy, so a later server that adds a resource or a prompt shows it to nobody before the
policy knows it. It adds no tools: `servers.build` does.
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from typing import Any, TypeVar, get_args

import anyio
from mcp.server.caching import CacheableMethod, CacheHint
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    METHOD_NOT_FOUND,
    CallToolResult,
    GetPromptResult,
    InputRequiredResult,
    PromptReference,
    TextContent,
)
from mcp_types import Prompt as WirePrompt
from mcp_types import Resource as WireResource
from mcp_types import ResourceTemplate as WireTemplate
from mcp_types import Tool as WireTool
from pydantic import AnyUrl, ValidationError

from casewright import __version__
from casewright.access.requests import EntryKind
from casewright.canonical import canonical_json
from casewright.contracts.principal import Caller
from casewright.errors import CasewrightError, DeniedError, InputError, UnauthenticatedError, UnavailableError
from servers.boundary import entry_error, protocol_error, tool_error, watermarked
from servers.callers import TokenSource
from servers.guard import HIDDEN, Call, Guard, enter_call, leave_call
from servers.spec import ServerSpec, ToolDefinition

OPEN_METHODS = frozenset({"initialize", "ping", "server/discover"})
"""Answered without a token: they say who the server is and nothing else."""
GUARDED_METHODS = frozenset(
    {
        "tools/list",
        "tools/call",
        "resources/list",
        "resources/templates/list",
        "resources/read",
        "prompts/list",
        "prompts/get",
        "completion/complete",
    }
)
MAX_ARGUMENT_BYTES = 1_000_000
LONGEST_ECHO = 300
"""Characters of a caller's own words that an error repeats."""
PRIVATE: Mapping[CacheableMethod, CacheHint] = {
    method: CacheHint(ttl_ms=0, scope="private") for method in get_args(CacheableMethod)
}
"""What a caller is shown depends on who asks and is decided anew every time, whatever is asked for."""

HandlerT = TypeVar("HandlerT", bound=Callable[..., Any])

_caller: ContextVar[Caller] = ContextVar("casewright_caller")
_log = logging.getLogger("casewright.servers")


class GuardedServer(MCPServer[Any]):
    """One of our servers; built by `servers.build`."""

    def __init__(
        self,
        *,
        spec: ServerSpec,
        guard: Guard,
        tokens: TokenSource,
        **transport: Any,
    ) -> None:
        super().__init__(
            name=spec.name,
            version=__version__,
            instructions=spec.instructions,
            tools=[definition.tool for definition in spec.definitions],
            cache_hints=PRIVATE,
            subscriptions=False,
            log_level="WARNING",
            middleware=[self._admit_message],
            **transport,
        )
        self._definitions = {definition.spec.name: definition for definition in spec.definitions}
        self._guard = guard
        self._tokens = tokens
        self._tool_timeout_seconds = spec.tool_timeout_seconds

    async def _admit_message(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if ctx.request_id is None or ctx.method in OPEN_METHODS:
            return await call_next(ctx)
        if ctx.method not in GUARDED_METHODS:
            raise MCPError(code=METHOD_NOT_FOUND, message="Method not found", data=ctx.method)
        try:
            caller = await self._guard.caller(self._tokens, ctx)
        except UnauthenticatedError as error:
            raise protocol_error() from error
        except Exception as error:
            _log.exception("the caller of %r could not be established", ctx.method)
            raise _unavailable() from error
        token = _caller.set(caller)
        try:
            return await call_next(ctx)
        except (MCPError, ValidationError):  # the SDK answers these without their text
            raise
        except Exception as error:
            _log.exception("%r failed unexpectedly", ctx.method)
            raise _unavailable() from error
        finally:
            _caller.reset(token)

    async def list_tools(self) -> list[WireTool]:
        """The tools this caller could ever call; what is left out is audited."""
        tools = await super().list_tools()
        known = {tool.name: self._definitions.get(tool.name) for tool in tools}
        shown = await self._guard.listed(_caller.get(), known)
        return [tool for tool in tools if tool.name in shown]

    async def list_resources(self) -> list[WireResource]:
        """The resources this caller could ever read; unknown to the policy is left out."""
        found = {str(resource.uri): resource for resource in await super().list_resources()}
        shown = await self._guard.listed_others(_caller.get(), "resource", found)
        return [resource for uri, resource in found.items() if uri in shown]

    async def list_resource_templates(self) -> list[WireTemplate]:
        """The resource templates this caller could ever use; a template is known to the policy by its text."""
        found = {template.uri_template: template for template in await super().list_resource_templates()}
        shown = await self._guard.listed_others(_caller.get(), "resource", found)
        return [template for uri, template in found.items() if uri in shown]

    async def list_prompts(self) -> list[WirePrompt]:
        """The prompts this caller could ever get."""
        found = {prompt.name: prompt for prompt in await super().list_prompts()}
        shown = await self._guard.listed_others(_caller.get(), "prompt", found)
        return [prompt for name, prompt in found.items() if name in shown]

    async def read_resource(
        self, uri: AnyUrl | str, context: Context[Any, Any] | None = None
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        """One resource, if the policy knows it and permits it."""
        await self._admit_other("resource", str(uri))
        return await super().read_resource(uri, context)

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None, context: Context[Any, Any] | None = None
    ) -> GetPromptResult | InputRequiredResult:
        """One prompt, if the policy knows it and permits it."""
        await self._admit_other("prompt", name, arguments)
        return await super().get_prompt(name, arguments, context)

    def completion(self):
        """Register what completes arguments; it runs only where the policy permits it."""
        register = super().completion()

        def decorator(func: HandlerT) -> HandlerT:
            async def guarded(ref: Any, argument: Any, context: Any) -> Any:
                name = ref.name if isinstance(ref, PromptReference) else str(ref.uri)
                await self._admit_other("completion", name, {argument.name: argument.value})
                return await func(ref, argument, context)

            register(guarded)
            return func

        return decorator

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """One guarded call; every failure that is ours leaves through `servers.boundary`."""
        try:
            return await self._guarded_call(name, arguments, context)
        except CasewrightError as error:
            level = logging.INFO if isinstance(error, DeniedError | InputError) else logging.WARNING
            _log.log(level, "tool %r: %s: %s", name, type(error).__name__, error)
            raise tool_error(error, tool=name, hidden=HIDDEN) from error
        except (ToolError, MCPError):
            raise
        except Exception as error:
            _log.exception("tool %r failed unexpectedly", name)
            raise ToolError(f"{name!r} failed; the reason is in the server's log") from error

    async def _guarded_call(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None
    ) -> CallToolResult | InputRequiredResult:
        caller = _caller.get()
        definition = self._definitions.get(name)
        if definition is None:
            await self._guard.unknown(caller, name)
        try:
            canonical = _canonical(definition, arguments)
        except InputError:
            await self._guard.refuse_arguments(caller, definition)
            raise
        call = await self._guard.admit(caller, definition, canonical)
        token = enter_call(call)
        try:
            with anyio.fail_after(self._tool_timeout_seconds):
                result = await self._before(definition, call) or await super().call_tool(name, canonical, context)
                return watermarked(result, call.duties.watermark)
        except CasewrightError as error:
            await self._guard.failed(call, error)
            raise
        except TimeoutError as error:
            await self._guard.failed(call, error)
            raise UnavailableError(f"{name!r} took longer than {self._tool_timeout_seconds:g} seconds") from error
        except ToolError as error:
            cause = error.__cause__
            await self._guard.failed(call, cause or error)
            if isinstance(cause, CasewrightError):
                raise cause from error
            raise
        finally:
            leave_call(token)

    async def _before(self, definition: ToolDefinition, call: Call) -> CallToolResult | None:
        """What must hold before the tool runs; a result here is that people have to agree first."""
        if definition.spec.precondition is not None:
            await definition.spec.precondition()
        waiting = await self._guard.approval(call)
        if waiting is None:
            return None
        document = waiting.model_dump(mode="json")
        text = TextContent(type="text", text=json.dumps(document, ensure_ascii=False))
        return CallToolResult(content=[text], structured_content=document)

    async def _admit_other(self, kind: EntryKind, name: str, arguments: dict[str, Any] | None = None) -> None:
        """Decide on what is no tool. A denial reads the same whether the thing exists or not."""
        try:
            await self._guard.admit_other(_caller.get(), kind, name, arguments)
        except CasewrightError as error:
            _log.info("%s %r: %s: %s", kind, name, type(error).__name__, error)
            raise entry_error(error, kind=kind, hidden=HIDDEN) from error


def _canonical(definition: ToolDefinition, arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments as the tool will see them, defaults filled in: what is decided, hashed and run.

    Raises:
        InputError: they are not the tool's arguments, or not JSON that can be hashed.
    """
    tool = definition.tool
    unknown = sorted(set(arguments) - set(tool.parameters.get("properties", {})))
    if unknown:
        raise InputError(f"{tool.name!r} has no argument {_short(unknown[0])!r}; it takes {_names(tool.parameters)}")
    try:
        if len(json.dumps(arguments)) > MAX_ARGUMENT_BYTES:
            raise InputError(f"the arguments of {tool.name!r} are larger than {MAX_ARGUMENT_BYTES} bytes; send less")
        model = tool.fn_metadata.arg_model.model_validate(tool.fn_metadata.pre_parse_json(arguments))
        canonical = model.model_dump(mode="json", exclude_none=True)
        canonical_json(canonical)
    except ValidationError as error:
        raise InputError(f"the arguments of {tool.name!r} do not fit: {_problems(error)}") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(
            f"the arguments of {tool.name!r} cannot be written as canonical JSON: they hold a number beyond 2^53, "
            "half a character or too many levels"
        ) from error
    return canonical


def _names(schema: Mapping[str, Any]) -> str:
    return ", ".join(sorted(schema.get("properties", {}))) or "no arguments"


def _problems(error: ValidationError) -> str:
    shown = [f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()[:5]]
    return "; ".join(_short(problem) for problem in shown)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_ECHO else f"{text[:LONGEST_ECHO]}…"


def _unavailable() -> MCPError:
    return MCPError(code=INTERNAL_ERROR, message="the server cannot answer now; the reason is in its log")
