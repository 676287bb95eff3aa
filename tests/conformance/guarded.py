"""The fixture behind our guard: its own policy data, the real guard, and the entries as our servers declare them.

Tools, resources, templates and completions are declared in the spec like those of any server of ours. Our prompts hold
text alone; what the suite wants of prompts beyond that is answered after the guard has permitted the declared one.
"""

import inspect
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.tools import Tool
from mcp_types import EmptyResult, GetPromptResult, InputRequiredResult, SetLevelRequestParams

from casewright.config import Settings
from casewright.contracts.principal import Actor, Caller, ServerName
from casewright.controls.reviewed import ReviewedData
from casewright.identity.tokens import Grant
from casewright.services import Services
from servers.callers import FixedToken
from servers.entry_spec import CompleterSpec, Given, PromptArgumentSpec, PromptSpec, ResourceSpec, renamed
from servers.guard import Guard
from servers.guarded import GUARDED_METHODS, GuardedServer
from servers.spec import ServerSpec, ToolDefinition, ToolSpec
from tests.conformance.entries import PROMPTS, RESOURCES, add_prompts
from tests.conformance.rounds import IN_ROUNDS
from tests.conformance.tools import PLAIN

SERVER: ServerName = "case-facts"
"""Whose place the fixture takes: tokens are for servers that there are."""
PERSON = "rosa"
ROLE = "reviewer"
ASKED = "test_simple_text"
"""The tool that entries without arguments ask for."""
LOGGING = "logging/setLevel"
"""Deprecated, and closed in our servers; the older revision scores it."""
WATCHED = "test://watched-resource"
TOKEN_SECONDS = 3_600
TOOL_SECONDS = 20.0


@dataclass(frozen=True, kw_only=True)
class FixtureTool(ToolSpec):
    """A tool that answers with content of any kind, as the SDK would serve it."""

    structured: bool = False

    def tool(self) -> Tool:
        if self.structured:
            return Tool.from_function(self.fn, name=self.name)
        return Tool.from_function(self.fn, name=self.name, structured_output=False)


class FixtureServer(GuardedServer):
    """Answers a permitted prompt with what the suite wants in it, and takes a log level, which ours do not offer."""

    answers: ClassVar[frozenset[str]] = GUARDED_METHODS | {LOGGING}

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self._lowlevel_server.add_request_handler(LOGGING, SetLevelRequestParams, _level_taken)

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None, context: Context[Any, Any] | None = None
    ) -> GetPromptResult | InputRequiredResult:
        await super().get_prompt(name, arguments, context)
        return await MCPServer.get_prompt(self, name, arguments, context)


def prepared_policies(shipped: Path, folder: Path) -> Path:
    """The shipped policies, whose data also knows the fixture's tools."""
    policies = Path(shutil.copytree(shipped, folder / "policies"))
    path = policies / "data" / "access" / "data.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    entry: dict[str, Any] = {"kind": "tool", "verb": "read", "risk": "low", "resource": "none", "roles": [ROLE]}
    entry |= {"case_bound": False, "consequence": False, "redacts": False}
    data["tools"][SERVER] |= {function.__name__: entry for function in (*PLAIN, *IN_ROUNDS)}
    path.write_text(json.dumps(data), encoding="utf-8")
    return policies


async def guarded(home: Path, policies: Path) -> FixtureServer:
    """The fixture over a data folder; its every request has one reviewer's token."""
    services = Services(Settings(home=home, policies=policies))
    await _many_calls(services)
    guard = Guard(services, server=SERVER)
    server = FixtureServer(spec=_spec(), guard=guard, tokens=FixedToken(_token(services)), services=services)
    add_prompts(server)
    return server


async def _many_calls(services: Services) -> None:
    """As many calls a run as the policy lets anybody set: the suite makes hundreds."""
    reviewed = ReviewedData.read(services.settings.policies)
    await services.controls.set(
        "limits.user.tool_calls",
        str(reviewed.ceilings["user", "tool_calls"]),
        principal=services.identities.find(PERSON),
        why="the conformance suite makes hundreds of calls",
        reviewed=reviewed,
    )


def _token(services: Services) -> str:
    actor = Actor(kind="user", run_id="conformance", case_id="")
    person = services.identities.find(PERSON)
    return services.tokens.mint(
        Grant(principal=person, actor=actor, server=SERVER, scopes=("*",), seconds=TOKEN_SECONDS)
    )


def _spec() -> ServerSpec:
    plain = tuple(_tool(function) for function in PLAIN)
    rounds = tuple(_tool(function, structured=True) for function in IN_ROUNDS)
    return ServerSpec(
        name=SERVER,
        instructions="The fixture of the conformance suite.",
        definitions=tuple(ToolDefinition.of(tool) for tool in (*plain, *rounds)),
        resources=tuple(_resource(uri, function, kind) for uri, (function, kind) in RESOURCES.items()),
        prompts=tuple(_prompt(function) for function in PROMPTS),
        completers=(CompleterSpec(completes="arg1", asks=ASKED, complete=_completed),),
        tool_timeout_seconds=TOOL_SECONDS,
    )


def _tool(function: Callable[..., Any], *, structured: bool = False) -> FixtureTool:
    return FixtureTool(
        fn=function, title=function.__name__, verb="read", risk="low", resource="none", structured=structured
    )


def _resource(uri: str, function: Callable[..., str | bytes], kind: str) -> ResourceSpec:
    parameters = list(inspect.signature(function).parameters)

    async def read(**arguments: Any) -> str | bytes:
        return function(**arguments)

    asks = function.__name__ if parameters else ASKED
    more: dict[str, Any] = {"arguments": renamed(**{name: name for name in parameters})} if parameters else {}
    name = uri.rpartition("/")[2]
    stamp = _unchanged if uri == WATCHED else None
    text = inspect.getdoc(function) or ""
    return ResourceSpec(
        uri=uri, name=name, title=name, description=text, asks=asks, mime_type=kind, read=read, stamp=stamp, **more
    )


def _prompt(function: Callable[..., Any]) -> PromptSpec:
    names = [name for name in inspect.signature(function).parameters if name != "ctx"]
    return PromptSpec(
        name=function.__name__,
        title=function.__name__,
        description=inspect.getdoc(function) or "",
        body="",
        asks=ASKED,
        arguments=tuple(PromptArgumentSpec(name=name, description=name) for name in names),
    )


async def _unchanged(_caller: Caller, _arguments: Mapping[str, Any]) -> str:
    return "the same as ever"


async def _level_taken(_ctx: Any, _params: SetLevelRequestParams) -> EmptyResult:
    return EmptyResult()


async def _completed(typed: str, given: Given) -> Sequence[str]:
    return [f"{typed}one", f"{typed}two"]
