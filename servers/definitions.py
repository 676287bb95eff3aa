"""What every server of this repository shows, for the lock that pins it.

Called by `casewright mcp definitions`; needs no data folder. It asks no policy: the whole set is pinned, whoever
may see how much of it.
"""

from collections.abc import Iterator

from mcp.server.mcpserver.tools import Tool
from mcp_types import Tool as WireTool
from pydantic import BaseModel

from casewright.contracts.principal import SERVERS
from casewright.definitions import DefinitionsLock, Kind, Shown, locked
from servers.build import ServerFactory
from servers.entries import wire_prompt, wire_resource, wire_template
from servers.spec import ServerSpec


def current_lock(factory: ServerFactory) -> DefinitionsLock:
    """The lock as the code of this checkout makes it."""
    return DefinitionsLock(servers=tuple(locked(name, shown_by(factory.spec(name))) for name in SERVERS))


def shown_by(spec: ServerSpec) -> tuple[Shown, ...]:
    """Everything that a server can show, in the order in which it lists it."""
    return tuple(_entries(spec))


def _entries(spec: ServerSpec) -> Iterator[Shown]:
    yield Shown(kind="instructions", name=spec.name, parts={"title": spec.title, "text": spec.instructions})
    for definition in spec.definitions:
        yield shown("tool", definition.spec.name, _wire_tool(definition.tool))
    for resource in spec.resources:
        if resource.is_template:
            yield shown("template", resource.uri, wire_template(resource))
        else:
            yield shown("resource", resource.uri, wire_resource(resource))
    for prompt in spec.prompts:
        entry = shown("prompt", prompt.name, wire_prompt(prompt))
        yield Shown(kind="prompt", name=prompt.name, parts={**entry.parts, "body": prompt.body})


def shown(kind: Kind, name: str, wire: BaseModel) -> Shown:
    """One entry from what goes over the wire."""
    return Shown(kind=kind, name=name, parts=wire.model_dump(mode="json", by_alias=True, exclude_none=True))


def _wire_tool(tool: Tool) -> WireTool:
    return WireTool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.parameters,
        output_schema=tool.output_schema,
        annotations=tool.annotations,
        _meta=tool.meta,
    )
