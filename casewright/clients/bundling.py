"""Builds an `.mcpb` bundle and the registry's `server.json` for one server.

A bundle holds our own files and the list of what they depend on; the client brings Python and the
rest. The same files give the same bytes: sorted names, one date, no folder of any machine. It is
deliberately *not* a publisher: nothing is sent anywhere.
"""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from casewright.clients.entries import TOKEN
from casewright.clients.manifests import (
    Argument,
    Asked,
    Author,
    BundledServer,
    Compatibility,
    Manifest,
    NamedTool,
    Package,
    RegistryEntry,
    Runtimes,
    Started,
    Variable,
)

DATE = (1980, 1, 1, 0, 0, 0)
"""Of every file of a bundle; the oldest that the format knows."""
FILE_MODE = 0o100644 << 16
LARGEST_BYTES = 100_000_000


@dataclass(frozen=True, kw_only=True)
class Offered:
    """What is told of one server."""

    server: str
    version: str
    description: str
    """At most 100 characters."""
    tools: tuple[tuple[str, str], ...]
    """Name and first sentence of each."""
    python: str
    """The versions of Python that will do, as `>=3.11`."""
    dependencies: tuple[str, ...]
    of_one_case: bool
    """Whether it shows anything only when a case is named."""

    @property
    def name(self) -> str:
        return f"casewright-{self.server}"


def manifest(offered: Offered) -> Manifest:
    """The bundle's description, with what the client asks the person who installs it."""
    asked = {
        "home": Asked(
            type="directory",
            title="Data folder",
            description="The folder that `casewright init` set up.",
            required=True,
            default="${HOME}/.casewright",
        ),
        "identity": Asked(
            type="string",
            title="Local identity",
            description="Who you are in that folder, for development. Leave it empty where you have a token.",
            required=False,
            default="",
        ),
        "token": Asked(
            type="string",
            title="Token",
            description=f"What `casewright token {offered.server}` printed. Leave it empty with a local identity.",
            required=False,
            sensitive=True,
        ),
    }
    variables = {
        "CASEWRIGHT_BUNDLE_HOME": "${user_config.home}",
        "CASEWRIGHT_BUNDLE_IDENTITY": "${user_config.identity}",
        TOKEN: "${user_config.token}",
    }
    if offered.of_one_case:
        asked["case"] = Asked(
            type="string",
            title="Case",
            description="The one case that may be read, with a local identity. A token names its own.",
            required=False,
            default="",
        )
        variables["CASEWRIGHT_BUNDLE_CASE"] = "${user_config.case}"
    started = Started(
        command="uv", args=("run", "--directory", "${__dirname}", "main.py", offered.server), env=variables
    )
    return Manifest(
        name=offered.name,
        display_name=f"Casewright: {offered.server.replace('-', ' ')}",
        version=offered.version,
        description=offered.description,
        author=Author(name="The Casewright authors"),
        license="Apache-2.0",
        server=BundledServer(entry_point="main.py", mcp_config=started),
        tools=tuple(NamedTool(name=name, description=said) for name, said in offered.tools),
        keywords=("policies", "citations", "approvals", "case review"),
        compatibility=Compatibility(platforms=("darwin", "win32", "linux"), runtimes=Runtimes(python=offered.python)),
        user_config=asked,
    )


def bundle(offered: Offered, files: Mapping[str, bytes]) -> bytes:
    """The bytes of an `.mcpb` file.

    Args:
        files: our own files by their names in the bundle, with `main.py` and `casewright/` at the top.

    Raises:
        ValueError: a file is missing, or all of them together are too large.
    """
    if "main.py" not in files or "casewright/launch.py" not in files:
        raise ValueError("a bundle needs main.py and casewright/launch.py")
    if sum(len(content) for content in files.values()) > LARGEST_BYTES:
        raise ValueError(
            f"the files of a bundle hold more than {LARGEST_BYTES} bytes; something is in there by mistake"
        )
    written = {
        **files,
        "manifest.json": document(manifest(offered).model_dump(mode="json", exclude_none=True)),
        "pyproject.toml": _project(offered),
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(written):
            entry = zipfile.ZipInfo(name, DATE)
            entry.compress_type, entry.external_attr, entry.create_system = zipfile.ZIP_DEFLATED, FILE_MODE, 3
            archive.writestr(entry, written[name])
    return packed.getvalue()


def registry_entry(offered: Offered, *, namespace: str, download: str, packed: bytes) -> RegistryEntry:
    """The registry's description.

    Args:
        namespace: in reverse DNS form, one that the publisher has proved to be theirs.
        download: where the bundle will be had; empty: only the Python package is named.
        packed: the bundle itself, whose hash clients check.

    Raises:
        ValueError: a name does not have the registry's form.
    """
    options = [
        Argument(type="positional", value="mcp"),
        Argument(type="positional", value=offered.server),
        Argument(type="named", name="--home", description="The data folder of `casewright init`.", format="filepath"),
        Argument(type="named", name="--as", description="A local identity, for development."),
    ]
    if offered.of_one_case:
        options.append(Argument(type="named", name="--case", description="With --as: the one case that may be read."))
    token = Variable(name=TOKEN, description="A token for this server; not needed with --as.", is_secret=True)
    packages = [
        Package(
            registry_type="pypi",
            identifier="casewright",
            version=offered.version,
            runtime_hint="uvx",
            package_arguments=tuple(options),
            environment_variables=(token,),
        )
    ]
    if download:
        packages.append(Package(registry_type="mcpb", identifier=download, file_sha256=sha256(packed).hexdigest()))
    return RegistryEntry(
        name=f"{namespace}/{offered.name}",
        title=f"Casewright: {offered.server.replace('-', ' ')}",
        description=offered.description,
        version=offered.version,
        packages=tuple(packages),
    )


def document(value: object) -> bytes:
    """JSON for people, always the same bytes."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def _project(offered: Offered) -> bytes:
    lines = [
        "[project]",
        f"name = {json.dumps(offered.name)}",
        f"version = {json.dumps(offered.version)}",
        f"requires-python = {json.dumps(offered.python)}",
        _listed("dependencies", sorted(offered.dependencies)),
        "",
        "[tool.uv]",
        "package = false",
    ]
    return ("\n".join(lines) + "\n").encode()


def _listed(name: str, values: Sequence[str]) -> str:
    return f"{name} = [\n" + "".join(f"  {json.dumps(value)},\n" for value in values) + "]"
