"""An MCP server in which nothing is reachable but through the guard.

A middleware sees every message: without a valid token only the handshake, `ping` and discovery
answer, and a method that is not on the list is closed, so whatever a later SDK adds stays shut
until someone opens it. Whatever lists, reads, gets, completes or calls is overridden to ask the
access policy, and answers only with what the server's spec declares, so an entry that is added by another
way is shown to nobody. It adds nothing itself: `servers.build` does.
"""

import json
import logging
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, ClassVar, NoReturn, get_args

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
    CompleteRequestParams,
    CompleteResult,
    EmptyResult,
    GetPromptResult,
    InputRequiredResult,
    SubscribeRequestParams,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
    TextContent,
    UnsubscribeRequestParams,
)
from mcp_types import Prompt as WirePrompt
from mcp_types import Resource as WireResource
from mcp_types import ResourceTemplate as WireTemplate
from mcp_types import Tool as WireTool
from pydantic import AnyUrl, ValidationError

from casewright import __version__
from casewright.contracts.principal import Caller, ServerName
from casewright.contracts.tool_failures import failed
from casewright.errors import CasewrightError, DeniedError, InputError, UnauthenticatedError
from casewright.services import Services
from servers.arguments import canonical_arguments
from servers.asking import state_security
from servers.boundary import entry_error, protocol_error, tool_error, watermarked
from servers.callers import TokenSource, taken_up
from servers.client_side import serving
from servers.entries import Entries
from servers.guard import HIDDEN, Call, Guard
from servers.icons import icon
from servers.running import running
from servers.spec import ServerSpec, ToolDefinition
from servers.subscriptions import Subscriptions

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
SUBSCRIBING_METHODS = frozenset({"resources/subscribe", "resources/unsubscribe", "subscriptions/listen"})
"""Served where there is a resource to be subscribed to, and guarded alike."""
PRIVATE: Mapping[CacheableMethod, CacheHint] = {
    method: CacheHint(ttl_ms=0, scope="private") for method in get_args(CacheableMethod)
}
"""What a caller is shown depends on who asks and is decided anew every time, whatever is asked for."""

FORGED_STATE = {"reason": "invalid_request_state"}
"""What the SDK says of a request state that was not sealed here, or not for this call."""
_AFTER_TRACING = 1
"""Before everything that reads a message, the state it brings among it: first it is known who sends it."""

SERVER_ICONS: Mapping[ServerName, str] = {
    "policy-search": "search",
    "case-facts": "read",
    "drafting": "write",
    "review": "check",
}
_caller: ContextVar[Caller] = ContextVar("casewright_caller")
_log = logging.getLogger("casewright.servers")


class GuardedServer(MCPServer[Any]):
    """One of our servers; built by `servers.build`."""

    answers: ClassVar[frozenset[str]] = GUARDED_METHODS
    """Methods that are decided on; every other one is closed."""

    def __init__(
        self,
        *,
        spec: ServerSpec,
        guard: Guard,
        tokens: TokenSource,
        services: Services,
        **transport: Any,
    ) -> None:
        super().__init__(
            name=spec.name,
            title=spec.title,
            icons=[icon(SERVER_ICONS[spec.name])] if spec.name in SERVER_ICONS else None,
            version=__version__,
            instructions=spec.instructions,
            tools=[definition.tool for definition in spec.definitions],
            cache_hints=PRIVATE,
            subscriptions=False,
            log_level="WARNING",
            request_state_security=state_security(services, tokens),
            **transport,
        )
        self.middleware.insert(_AFTER_TRACING, self._admit_message)
        self._lowlevel_server.add_request_handler("completion/complete", CompleteRequestParams, self._complete)
        self._entries = Entries(spec, guard)
        self._watching = Subscriptions(self._entries, guard, tokens)
        if any(resource.stamp for resource in spec.resources):
            add = self._lowlevel_server.add_request_handler
            add("resources/subscribe", SubscribeRequestParams, self._subscribe)
            add("resources/unsubscribe", UnsubscribeRequestParams, self._unsubscribe)
            add("subscriptions/listen", SubscriptionsListenRequestParams, self._listen)
        self._definitions = {definition.spec.name: definition for definition in spec.definitions}
        self._guard = guard
        self._tokens = tokens
        self._services = services
        self._tool_timeout_seconds = spec.tool_timeout_seconds

    async def _admit_message(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if ctx.request_id is None or ctx.method in OPEN_METHODS:
            return await call_next(ctx)
        taken_up()
        if ctx.method not in self.answers | SUBSCRIBING_METHODS:
            with suppress(UnauthenticatedError):  # whoever it is, the method is closed
                await self._guard.refuse_message(
                    await self._guard.caller(self._tokens, ctx), ctx.method, "method_closed"
                )
            raise MCPError(code=METHOD_NOT_FOUND, message="Method not found", data=ctx.method)
        caller = await self._established(ctx)
        token = _caller.set(caller)
        try:
            return await call_next(ctx)
        except ValidationError:  # the SDK answers it without its text
            await self._guard.refuse_message(caller, ctx.method, "message_malformed")
            raise
        except MCPError as error:
            if error.error.data == FORGED_STATE:
                await self._guard.refuse_message(caller, ctx.method, "request_state_refused")
            raise
        except Exception as error:
            _log.exception("%r failed unexpectedly", ctx.method)
            raise _unavailable() from error
        finally:
            _caller.reset(token)

    async def _established(self, ctx: ServerRequestContext[Any, Any]) -> Caller:
        """Who sends a message; nobody who cannot be established gets any further."""
        try:
            return await self._guard.caller(self._tokens, ctx)
        except UnauthenticatedError as error:
            raise protocol_error() from error
        except Exception as error:
            _log.exception("the caller of %r could not be established", ctx.method)
            raise _unavailable() from error

    async def list_tools(self) -> list[WireTool]:
        """The tools this caller could ever call; what is left out is audited."""
        tools = await super().list_tools()
        known = {tool.name: self._definitions.get(tool.name) for tool in tools}
        shown = await self._guard.listed(_caller.get(), known)
        return [tool for tool in tools if tool.name in shown]

    async def list_resources(self) -> list[WireResource]:
        """The resources this caller could ever read."""
        found = {str(added.uri): added for added in await super().list_resources()} | self._entries.resources()
        shown = await self._entries.shown_resources(_caller.get(), found)
        return [resource for uri, resource in found.items() if uri in shown]

    async def list_resource_templates(self) -> list[WireTemplate]:
        """The resource templates this caller could ever use."""
        added = {template.uri_template: template for template in await super().list_resource_templates()}
        found = added | self._entries.templates()
        shown = await self._entries.shown_resources(_caller.get(), found)
        return [template for uri, template in found.items() if uri in shown]

    async def list_prompts(self) -> list[WirePrompt]:
        """The prompts that lead this caller anywhere."""
        found = {prompt.name: prompt for prompt in await super().list_prompts()} | self._entries.prompts()
        shown = await self._entries.shown_prompts(_caller.get(), found)
        return [prompt for name, prompt in found.items() if name in shown]

    async def read_resource(
        self, uri: AnyUrl | str, context: Context[Any, Any] | None = None
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        """One declared resource, by the decision on the tool that reads the same; others are not found."""
        with _entry_errors("resource", {"uri": str(uri)}):
            return await self._entries.read(_caller.get(), str(uri))

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None, context: Context[Any, Any] | None = None
    ) -> GetPromptResult | InputRequiredResult:
        """One declared prompt, for those whom it leads anywhere."""
        with _entry_errors("prompt"):
            return await self._entries.prompt(_caller.get(), name, arguments or {})

    def completion(self) -> NoReturn:
        """Nothing completes but what the server declares."""
        raise TypeError("declare a CompleterSpec among the entries of the server; nothing else completes")

    async def _complete(self, _ctx: ServerRequestContext[Any, Any], params: CompleteRequestParams) -> CompleteResult:
        given = (params.context.arguments if params.context else None) or {}
        with _entry_errors("completion"):
            caller, argument = _caller.get(), params.argument
            return await self._entries.complete(caller, params.ref, argument.name, argument.value, given)

    async def _listen(
        self, ctx: ServerRequestContext[Any, Any], params: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        with _entry_errors("resource"):
            return await self._watching.listen(ctx, _caller.get(), params)

    async def _subscribe(self, ctx: ServerRequestContext[Any, Any], params: SubscribeRequestParams) -> EmptyResult:
        with _entry_errors("resource"):
            await self._watching.subscribe(ctx, _caller.get(), params.uri)
        return EmptyResult()

    async def _unsubscribe(self, ctx: ServerRequestContext[Any, Any], params: UnsubscribeRequestParams) -> EmptyResult:
        self._watching.unsubscribe(ctx, params.uri)
        return EmptyResult()

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """One guarded call; every failure that is ours leaves through `servers.boundary`."""
        try:
            with serving(context):
                return await self._guarded_call(name, arguments, context)
        except CasewrightError as error:
            level = logging.INFO if isinstance(error, DeniedError | InputError) else logging.WARNING
            _log.log(level, "tool %r: %s: %s", name, type(error).__name__, error)
            raise tool_error(error, tool=name, hidden=HIDDEN) from error
        except (ToolError, MCPError):
            raise
        except Exception as error:
            _log.exception("tool %r failed unexpectedly", name)
            raise ToolError(failed(name)) from error

    async def _guarded_call(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None
    ) -> CallToolResult | InputRequiredResult:
        caller = _caller.get()
        definition = self._definitions.get(name)
        if definition is None:
            await self._guard.unknown(caller, name)
        try:
            canonical = canonical_arguments(definition, arguments)
        except InputError:
            await self._guard.refuse_arguments(caller, definition)
            raise
        call = await self._guard.admit(caller, definition, canonical)
        async with running(self._guard, call, seconds=self._tool_timeout_seconds):
            result = await self._before(definition, call) or await self._run(name, canonical, context)
            return watermarked(result, call.duties.watermark)

    async def _run(
        self, name: str, canonical: dict[str, Any], context: Context[Any, Any] | None
    ) -> CallToolResult | InputRequiredResult:
        """The tool itself; an error of ours leaves as itself."""
        try:
            return await super().call_tool(name, canonical, context)
        except ToolError as error:
            if isinstance(error.__cause__, CasewrightError):
                raise error.__cause__ from error
            raise

    async def _before(self, definition: ToolDefinition, call: Call) -> CallToolResult | InputRequiredResult | None:
        """What must hold before the tool runs; a result here is that people have to agree first."""
        if definition.spec.precondition is not None:
            await definition.spec.precondition()
        if call.approval_rule is None:
            return None
        from servers.deciding import Deciding  # imported here: most calls need nobody's approval

        waiting = await Deciding(self._services).settled(self._guard, definition, call)
        if waiting is None or isinstance(waiting, InputRequiredResult):
            return waiting
        document = waiting.model_dump(mode="json")
        text = TextContent(type="text", text=json.dumps(document, ensure_ascii=False))
        return CallToolResult(content=[text], structured_content=document)


@contextmanager
def _entry_errors(kind: str, asked: Mapping[str, str] | None = None) -> Generator[None]:
    """Failures of what is no tool, as clients may see them: a denial reads the same whether the thing exists or not.

    `asked` is what the client itself asked for, said back to it.
    """
    try:
        yield
    except CasewrightError as error:
        level = logging.INFO if isinstance(error, DeniedError | InputError) else logging.WARNING
        _log.log(level, "%s: %s: %s", kind, type(error).__name__, error)
        refused = entry_error(error, kind=kind, hidden=HIDDEN)
        raise MCPError(code=refused.code, message=refused.message, data=refused.data or asked) from error


def _unavailable() -> MCPError:
    return MCPError(code=INTERNAL_ERROR, message="the server cannot answer now; the reason is in its log")
