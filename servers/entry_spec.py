"""What a server declares beside its tools: resources, prompts, and what completes their arguments.

None of them is a rule of its own. Each names a tool of the same server, and reading, getting or
completing it is the decision on that tool with these arguments, with its obligations, its budget
and its audit event. It knows no guard and no SDK server: `servers.entries` serves what is declared here.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from mcp.shared.uri_template import UriTemplate

from casewright.contracts.principal import Caller

Given = Mapping[str, str]
"""What somebody gave for the variables of a URI or the arguments of a prompt; a claim like any argument."""
ToArguments = Callable[[Given], Mapping[str, Any]]
"""Makes of it the arguments of the tool that is asked; they are validated like any call's."""
JSON = "application/json"


def nothing(_given: Given) -> Mapping[str, Any]:
    """For tools that take no arguments."""
    return {}


def renamed(**arguments: str) -> ToArguments:
    """Tool argument = name of the variable; what was not given, or is empty, is left to the tool's default."""

    def to_arguments(given: Given) -> Mapping[str, Any]:
        return {argument: given[name] for argument, name in arguments.items() if given.get(name)}

    return to_arguments


@dataclass(frozen=True, kw_only=True)
class ResourceSpec:
    """One resource, or one template of many: `uri` without variables is fixed (`ui://approvals/page`)."""

    uri: str
    """A URI or an RFC 6570 template; variables in the path are needed, those of `{?…}` may be left out."""
    name: str
    title: str
    description: str
    asks: str
    """The tool of this server that reads the same thing."""
    arguments: ToArguments = nothing
    case_variable: str = ""
    """The variable that names a case; the decision is then about that case, and only the token's own is permitted."""
    mime_type: str = JSON
    read: Callable[..., Awaitable[str | bytes]] | None = None
    """Takes the tool's arguments, within the permitted call (`current_call`), under its obligations; None: the answer
    of the tool itself as JSON."""
    stamp: Callable[[Caller, Mapping[str, Any]], Awaitable[str]] | None = None
    """A short value that changes whenever the resource does, from the caller and the tool's arguments; shown to nobody.
    None: it cannot be subscribed to."""
    meta: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """`_meta` of the listing and of what is read."""

    @cached_property
    def template(self) -> UriTemplate:
        return UriTemplate.parse(self.uri)

    @property
    def is_template(self) -> bool:
        return bool(self.template.variable_names)


def prompt_text(module_file: str, name: str) -> str:
    """The body of a prompt: the Markdown file of this name beside the module that declares it."""
    return (Path(module_file).with_name("prompt_texts") / f"{name}.md").read_text(encoding="utf-8")


@dataclass(frozen=True, kw_only=True)
class PromptArgumentSpec:
    """One argument of a prompt; always text."""

    name: str
    description: str
    required: bool = True


@dataclass(frozen=True, kw_only=True)
class PromptSpec:
    """One prompt: a text of this repository with its arguments filled in; it holds no data of a case."""

    name: str
    title: str
    description: str
    body: str
    """Markdown with `$argument` for each argument (`string.Template`)."""
    asks: str
    """The tool of this server that the one who gets it will call first."""
    arguments: tuple[PromptArgumentSpec, ...] = ()
    asks_with: ToArguments = nothing
    case_argument: str = ""
    """The argument that names a case; the decision is then about that case, and only the token's own is permitted."""
    needs: tuple[str, ...] = ()
    """Further tools of this server that it leads to; who could never call one of them sees no prompt."""


@dataclass(frozen=True, kw_only=True)
class CompleterSpec:
    """What completes one name, in whatever templates and prompts of its server it occurs."""

    completes: str
    """Name of a URI variable or of a prompt's argument."""
    asks: str
    """The tool of this server that shows the same values."""
    complete: Callable[[str, Given], Awaitable[Sequence[str]]]
    """From what was typed and the other values so far, within the permitted call; best first, any number: the server
    cuts it."""
    arguments: ToArguments = nothing
    """From the other values so far, and the typed one under its own name."""
