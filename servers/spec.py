"""What a server declares of a tool, and the definition that clients see and approvals pin.

It is deliberately *not* an access rule: verb, risk and resource kind are inputs of the decision.
What else a server declares is in `servers.entry_spec`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mcp.server.mcpserver.tools import Tool
from mcp_types import ToolAnnotations

from casewright.canonical import digest
from casewright.contracts.decision import Risk, Verb
from casewright.contracts.principal import ServerName
from servers.entry_spec import CompleterSpec, PromptSpec, ResourceSpec
from servers.icons import icon

MetByTool = Literal["redact", "limit"]
"""Obligations that only the tool itself can meet."""
ResourceKind = Literal["none", "corpus", "case", "draft", "action"]
READING_VERBS: frozenset[Verb] = frozenset({"list", "read", "search", "check"})


@dataclass(frozen=True, kw_only=True)
class ToolSpec:
    """One tool: its function, and what the access decision needs to know of it."""

    fn: Callable[..., Any]
    title: str
    verb: Verb
    risk: Risk
    resource: ResourceKind
    meets: frozenset[MetByTool] = frozenset()
    """Obligations that its own code meets; under one that it does not declare it is denied."""
    reads_untrusted: bool = False
    """Whether what it answers holds texts that nobody vouches for: evidence, letters, narratives, notes."""
    precondition: Callable[[], Awaitable[None]] | None = None
    """Runs within the permitted call before anybody is asked to approve it, and refuses what could not run."""
    meta: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """`_meta` of the listing, for example the page that shows its answers; part of the definition."""

    @property
    def name(self) -> str:
        return self.fn.__name__

    def tool(self) -> Tool:
        """The SDK's tool: schemas from the signature, description from the docstring."""
        reads = self.verb in READING_VERBS
        return Tool.from_function(
            self.fn,
            name=self.name,
            title=self.title,
            description=_description(self.fn),
            annotations=ToolAnnotations(
                read_only_hint=reads,
                destructive_hint=self.verb == "execute",
                idempotent_hint=reads or self.verb == "execute",
                open_world_hint=False,
            ),
            icons=[icon(self.verb)],
            meta=dict(self.meta) or None,
            structured_output=True,
        )


@dataclass(frozen=True, kw_only=True)
class ToolDefinition:
    """A spec with its SDK tool and the hash of what clients are shown."""

    spec: ToolSpec
    tool: Tool
    hash: str

    @classmethod
    def of(cls, spec: ToolSpec) -> "ToolDefinition":
        tool = spec.tool()
        annotations = tool.annotations.model_dump(mode="json") if tool.annotations else {}
        shown = {
            "name": tool.name,
            "title": tool.title,
            "description": tool.description,
            "input_schema": tool.parameters,
            "output_schema": tool.output_schema,
            "annotations": annotations,
            **({"meta": tool.meta} if tool.meta else {}),
        }
        return cls(spec=spec, tool=tool, hash=digest(shown))


@dataclass(frozen=True, kw_only=True)
class ServerEntries:
    """All that a server lets anybody reach."""

    tools: tuple[ToolSpec, ...]
    resources: tuple[ResourceSpec, ...] = ()
    prompts: tuple[PromptSpec, ...] = ()
    completers: tuple[CompleterSpec, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ServerSpec:
    """What one server is: its name, what it tells a model, its entries and the deadline of its tools."""

    name: ServerName
    title: str = ""
    instructions: str
    definitions: tuple[ToolDefinition, ...]
    resources: tuple[ResourceSpec, ...]
    prompts: tuple[PromptSpec, ...]
    completers: tuple[CompleterSpec, ...]
    tool_timeout_seconds: float

    def __post_init__(self) -> None:
        """Refuse entries that ask for no tool of this server, or for one that does more than read.

        Raises:
            ValueError: the server is not to be built.
        """
        verbs = {definition.spec.name: definition.spec.verb for definition in self.definitions}
        asked = {entry.asks for entry in (*self.resources, *self.prompts, *self.completers)}
        asked |= {need for prompt in self.prompts for need in prompt.needs}
        if unknown := asked - set(verbs):
            raise ValueError(f"the entries of {self.name!r} ask for {sorted(unknown)}, which are no tools of it")
        for entry in (*self.resources, *self.prompts, *self.completers):
            if verbs[entry.asks] not in READING_VERBS:
                raise ValueError(f"{entry!r} asks for {entry.asks!r}, which does more than read")


def _description(fn: Callable[..., Any]) -> str:
    text = (fn.__doc__ or "").strip()
    return "\n".join(line.strip() for line in text.splitlines())
