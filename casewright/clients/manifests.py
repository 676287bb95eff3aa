"""What an `.mcpb` bundle and the MCP registry want to know of a server, as far as we say it.

The models hold what both formats demand (names, lengths, patterns, closed sets), so that nothing
else can be built: manifest version 0.4 of MCP bundles, and the registry's `server.json` of
2025-12-11. They are deliberately *not* the whole formats.
"""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from casewright.contracts.base import Contract

REGISTRY_SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
Version = Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+(?:[-+][0-9A-Za-z.+-]+)?$", max_length=255)]


class Author(Contract):
    name: str


class Asked(Contract):
    """One thing that the client asks the person who installs."""

    type: Literal["string", "directory"]
    title: str
    description: str
    required: bool
    default: str | None = None
    sensitive: bool | None = None
    """True: the client keeps it in the system's key store and does not show it."""


class Started(Contract):
    command: str
    args: tuple[str, ...]
    env: dict[str, str]


class BundledServer(Contract):
    type: Literal["uv"] = "uv"
    """The client brings Python and what is depended on by itself, as `pyproject.toml` in the bundle says."""
    entry_point: str
    mcp_config: Started


class NamedTool(Contract):
    name: str
    description: str


class Runtimes(Contract):
    python: str


class Compatibility(Contract):
    platforms: tuple[Literal["darwin", "win32", "linux"], ...]
    runtimes: Runtimes


class Manifest(Contract):
    """`manifest.json` of a bundle."""

    manifest_version: Literal["0.4"] = "0.4"
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    display_name: str
    version: Version
    description: str
    author: Author
    license: str
    server: BundledServer
    tools: tuple[NamedTool, ...]
    keywords: tuple[str, ...]
    compatibility: Compatibility
    user_config: dict[str, Asked]


class _Camel(Contract):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


class Argument(_Camel):
    """One word of the command line, or one option with its value."""

    type: Literal["positional", "named"]
    name: str | None = None
    value: str | None = None
    description: str | None = None
    format: Literal["string", "filepath"] | None = None
    is_required: bool | None = None


class Variable(_Camel):
    name: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
    description: str
    is_required: bool = False
    is_secret: bool = False


class Transport(_Camel):
    type: Literal["stdio"] = "stdio"


class Package(_Camel):
    registry_type: Literal["pypi", "mcpb"]
    identifier: str
    version: Annotated[str, Field(pattern=r"^[^\^~<>=*x ]+$")] | None = None
    file_sha256: Annotated[str, Field(pattern=r"^[a-f0-9]{64}$")] | None = None
    runtime_hint: Literal["uvx"] | None = None
    transport: Transport = Transport()
    package_arguments: tuple[Argument, ...] | None = None
    environment_variables: tuple[Variable, ...] | None = None


class RegistryEntry(_Camel):
    """`server.json`."""

    schema_: Annotated[str, Field(alias="$schema")] = REGISTRY_SCHEMA
    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$", min_length=3, max_length=200)]
    title: Annotated[str, Field(min_length=1, max_length=100)]
    description: Annotated[str, Field(min_length=1, max_length=100)]
    version: Version
    packages: tuple[Package, ...]
