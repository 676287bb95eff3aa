"""Serves what a server declares beside its tools; every answer is the decision on a tool first.

A URI, a prompt's name and what is to be completed are looked up among the entries of the server's
spec, and what they hold becomes the arguments of the tool that the entry asks for. Nothing that
was registered with the SDK by other ways is found here. `servers.guarded` calls it per message.
"""

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import Template
from typing import Any

from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp_types import (
    CompleteResult,
    Completion,
    GetPromptResult,
    PromptMessage,
    PromptReference,
    ResourceTemplateReference,
    TextContent,
)
from mcp_types import Prompt as WirePrompt
from mcp_types import PromptArgument as WirePromptArgument
from mcp_types import Resource as WireResource
from mcp_types import ResourceTemplate as WireTemplate
from pydantic import BaseModel

from casewright.contracts.principal import Caller
from casewright.errors import DeniedError, InputError
from servers.arguments import canonical_arguments
from servers.boundary import WATERMARK_KEY
from servers.entry_spec import Given, PromptSpec, ResourceSpec
from servers.guard import Call, Guard, Through
from servers.icons import icon
from servers.running import running
from servers.spec import ServerSpec
from servers.uris import matched

MOST_COMPLETIONS = 50
MAX_GIVEN = 4_000
"""Characters of one argument of a prompt, or of what is to be completed."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """A URI that was recognised."""

    spec: ResourceSpec
    given: Given
    through: Through


class Entries:
    """Resources, prompts and completers of one server."""

    def __init__(self, spec: ServerSpec, guard: Guard) -> None:
        self._spec = spec
        self._guard = guard
        self._tools = {definition.spec.name: definition for definition in spec.definitions}
        self._prompts = {prompt.name: prompt for prompt in spec.prompts}
        self._completers = {completer.completes: completer for completer in spec.completers}

    def resources(self) -> dict[str, WireResource]:
        """Those with a fixed URI."""
        return {spec.uri: wire_resource(spec) for spec in self._spec.resources if not spec.is_template}

    def templates(self) -> dict[str, WireTemplate]:
        return {spec.uri: wire_template(spec) for spec in self._spec.resources if spec.is_template}

    def prompts(self) -> dict[str, WirePrompt]:
        return {name: wire_prompt(spec) for name, spec in self._prompts.items()}

    async def shown_resources(self, caller: Caller, uris: Iterable[str]) -> frozenset[str]:
        """Which of these URIs and templates this caller could ever read; others than the declared ones never."""
        asks = {spec.uri: self._tools[spec.asks] for spec in self._spec.resources}
        return await self._guard.listed_as(caller, "resource", {uri: asks.get(uri) for uri in uris})

    async def shown_prompts(self, caller: Caller, names: Iterable[str]) -> frozenset[str]:
        """Which of these prompts lead this caller anywhere."""
        asked = {name: self._prompts.get(name) for name in names}
        asks = {name: self._tools[spec.asks] if spec else None for name, spec in asked.items()}
        shown = await self._guard.listed_as(caller, "prompt", asks)
        return frozenset([name for name in shown if await self._leads_somewhere(caller, asked[name])])

    async def read(self, caller: Caller, uri: str) -> list[ReadResourceContents]:
        """What is at a URI, if the tool that reads the same may be called.

        Raises:
            DeniedError: it is not there, or not for this caller.
            InputError: its parts do not fit the tool's arguments.
        """
        found = await self.found(caller, uri)
        call, content = await self.read_at(caller, found)
        meta = {**found.spec.meta} or None
        text = call.duties.watermark
        if not text:
            return [ReadResourceContents(content=content, mime_type=found.spec.mime_type, meta=meta)]
        marked = {**found.spec.meta, WATERMARK_KEY: text}
        return [
            ReadResourceContents(content=content, mime_type=found.spec.mime_type, meta=marked),
            ReadResourceContents(content=text, mime_type="text/plain", meta=marked),
        ]

    async def found(self, caller: Caller, uri: str) -> Address:
        """The declared resource that a URI names.

        Raises:
            DeniedError: there is none; decided and audited like one that may not be read.
        """
        address = _address(self._spec, uri)
        if address is None:
            await self._guard.unknown(caller, uri, "resource")
        return address

    async def read_at(self, caller: Caller, address: Address) -> tuple[Call, str | bytes]:
        """What is there now, and by which permission: tools may decide on more than the guard asked.

        Raises:
            DeniedError, NotFoundError: it is not there, or not for this caller; audited.
            InputError: its parts do not fit the tool's arguments.
        """
        spec = address.spec
        call = await self._admit(caller, spec.asks, spec.arguments(address.given), address.through)
        async with running(self._guard, call, seconds=self._spec.tool_timeout_seconds):
            return call, await self._content(spec, call)

    async def prompt(self, caller: Caller, name: str, arguments: Mapping[str, str]) -> GetPromptResult:
        """A prompt with its arguments filled in.

        Raises:
            DeniedError: it is not there, or leads nowhere for this caller.
            InputError: an argument is missing, unknown or too long.
        """
        spec = self._prompts.get(name)
        if spec is None:
            await self._guard.unknown(caller, name, "prompt")
        try:
            given = _filled(spec, arguments)
        except InputError:
            await self._guard.refuse_arguments(caller, self._tools[spec.asks], Through(kind="prompt", name=name))
            raise
        through = Through(kind="prompt", name=name, case_id=given.get(spec.case_argument, ""))
        call = await self._admit(caller, spec.asks, spec.asks_with(given), through)
        if not await self._leads_somewhere(caller, spec):
            raise DeniedError(f"a tool that {name!r} needs is not for this caller", code="prompt_leads_nowhere")
        text = Template(spec.body).substitute(given)
        message = PromptMessage(role="user", content=TextContent(type="text", text=text))
        return GetPromptResult(description=spec.description, messages=[message], _meta=_marked(call))

    async def complete(
        self, caller: Caller, ref: PromptReference | ResourceTemplateReference, argument: str, typed: str, given: Given
    ) -> CompleteResult:
        """The values that could stand for an argument of a template or prompt; none where nothing completes it.

        Raises:
            DeniedError: there is no such template or prompt, or it is not for this caller.
        """
        of = _completed(self._spec, ref)
        if of is None or argument not in of.names:
            name = ref.name if isinstance(ref, PromptReference) else str(ref.uri)
            await self._guard.unknown(caller, name, "completion")
        if not await self._guard.listed_as(caller, "completion", {of.name: self._tools[of.asks]}):
            raise DeniedError(f"{of.name!r} is not for this caller", code="not_listed")
        completer = self._completers.get(argument)
        if completer is None:
            return CompleteResult(completion=Completion(values=[], total=0, has_more=False))
        others = {name: value for name, value in given.items() if name in of.names and len(value) <= MAX_GIVEN}
        through = Through(kind="completion", name=f"{of.name} {argument}")
        arguments = completer.arguments({**others, argument: typed[:MAX_GIVEN]})
        call = await self._admit(caller, completer.asks, arguments, through)
        async with running(self._guard, call, seconds=self._spec.tool_timeout_seconds):
            found = list(dict.fromkeys(await completer.complete(typed[:MAX_GIVEN], others)))
        most = min(MOST_COMPLETIONS, call.duties.max_results or MOST_COMPLETIONS)
        completion = Completion(values=found[:most], total=len(found), has_more=len(found) > most)
        return CompleteResult(completion=completion, _meta=_marked(call))

    async def _admit(self, caller: Caller, asks: str, arguments: Mapping[str, Any], through: Through) -> Call:
        definition = self._tools[asks]
        try:
            canonical = canonical_arguments(definition, arguments)
        except InputError:
            await self._guard.refuse_arguments(caller, definition, through)
            raise
        call = await self._guard.admit(caller, definition, canonical, through)
        if (
            through.case_id and through.case_id != caller.actor.case_id
        ):  # whatever the policy says: tools read the token's
            raise DeniedError(f"{through.case_id!r} is not the token's case", code="case_mismatch")
        return call

    async def _leads_somewhere(self, caller: Caller, spec: PromptSpec | None) -> bool:
        needs = spec.needs if spec else ()
        shown = await self._guard.listed_as(caller, "tool", {name: self._tools[name] for name in needs})
        return spec is not None and shown == frozenset(needs)

    async def _content(self, spec: ResourceSpec, call: Call) -> str | bytes:
        definition = self._tools[spec.asks]
        model = definition.tool.fn_metadata.arg_model.model_validate(call.action.arguments)
        answered = (spec.read or definition.spec.fn)(**model.model_dump_one_level())
        answer = await answered if inspect.isawaitable(answered) else answered
        if isinstance(answer, str | bytes):
            return answer
        if isinstance(answer, BaseModel):
            return answer.model_dump_json(indent=2)
        raise TypeError(f"{spec.uri!r} was answered with {type(answer).__name__}, not with text or a document")


def _address(spec: ServerSpec, uri: str) -> Address | None:
    for resource in spec.resources:
        given = matched(resource, uri)
        if given is not None:
            through = Through(kind="resource", name=resource.uri, case_id=given.get(resource.case_variable, ""))
            return Address(spec=resource, given=given, through=through)
    return None


@dataclass(frozen=True, kw_only=True)
class _Completed:
    """A declared template or prompt whose argument is to be completed."""

    name: str
    asks: str
    names: frozenset[str]


def _completed(spec: ServerSpec, ref: PromptReference | ResourceTemplateReference) -> _Completed | None:
    if isinstance(ref, PromptReference):
        for prompt in spec.prompts:
            if prompt.name == ref.name:
                names = frozenset(argument.name for argument in prompt.arguments)
                return _Completed(name=prompt.name, asks=prompt.asks, names=names)
        return None
    for resource in spec.resources:
        if resource.is_template and resource.uri == str(ref.uri):
            return _Completed(name=resource.uri, asks=resource.asks, names=frozenset(resource.template.variable_names))
    return None


def _filled(spec: PromptSpec, arguments: Mapping[str, str]) -> dict[str, str]:
    """Every argument of a prompt; those that may be left out are empty then."""
    known = {argument.name: argument for argument in spec.arguments}
    takes = ", ".join(known) or "no arguments"
    if unknown := sorted(set(arguments) - set(known)):
        raise InputError(f"the prompt {spec.name!r} has no argument {unknown[0][:100]!r}; it takes {takes}")
    given = {name: arguments.get(name, "").strip() for name in known}
    for name, argument in known.items():
        if argument.required and not given[name]:
            raise InputError(f"the prompt {spec.name!r} needs {name!r}: {argument.description}")
        if len(given[name]) > MAX_GIVEN:
            raise InputError(f"{name!r} is longer than {MAX_GIVEN} characters; say it shorter")
    return given


def _marked(call: Call) -> dict[str, Any] | None:
    return {WATERMARK_KEY: call.duties.watermark} if call.duties.watermark else None


def wire_resource(spec: ResourceSpec) -> WireResource:
    """What a list says of a resource with a fixed URI."""
    return WireResource(
        uri=spec.uri,
        name=spec.name,
        title=spec.title,
        description=spec.description,
        mime_type=spec.mime_type,
        icons=[icon("read")],
        _meta=dict(spec.meta) or None,
    )


def wire_template(spec: ResourceSpec) -> WireTemplate:
    """What a list says of a template."""
    return WireTemplate(
        uri_template=spec.uri,
        name=spec.name,
        title=spec.title,
        description=spec.description,
        mime_type=spec.mime_type,
        icons=[icon("read")],
        _meta=dict(spec.meta) or None,
    )


def wire_prompt(spec: PromptSpec) -> WirePrompt:
    """What a list says of a prompt."""
    arguments = [
        WirePromptArgument(name=argument.name, description=argument.description, required=argument.required)
        for argument in spec.arguments
    ]
    return WirePrompt(
        name=spec.name, title=spec.title, description=spec.description, arguments=arguments, icons=[icon("write")]
    )
