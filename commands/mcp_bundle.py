"""`casewright mcp bundle`: an `.mcpb` file and a `server.json` for each server, to hand on or to publish."""

import importlib.metadata
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from casewright import __version__
from casewright.config import app_root
from casewright.contracts.principal import ServerName
from casewright.errors import InputError, StorageError
from commands.shell import Shell
from commands.token import ONLY, chosen_servers

if TYPE_CHECKING:
    from casewright.clients.bundling import Offered

ROOMS = ("commands", "servers", "agents", "graphs", "api", "policies", "evals")
LICENSES = ("LICENSE", "NOTICE")
DESCRIPTIONS: dict[str, str] = {
    "policy-search": "Finds the rules in force on a date, and quotes them word for word.",
    "case-facts": "The facts of the one case you may see, with their sources; deadlines computed by rules.",
    "drafting": "Drafts whose every sentence is backed by a quote, and actions that people approved.",
    "review": "Starts and explains case reviews; questions and approvals are answered by people.",
}
"""What each server is for, in at most 100 characters."""


def bundle(
    ctx: typer.Context,
    server: list[str] | None = typer.Option(None, help=ONLY),
    out: Path = typer.Option(Path("dist/mcp"), help="The folder to write into; one folder below it per server."),
    namespace: str = typer.Option("local.casewright", help="Your own, in reverse DNS form: io.github.YOU"),
    download: str = typer.Option("", help="Address of the folder that the bundles will be downloaded from."),
) -> None:
    """Write a bundle that clients install with a click, and the registry's description, for each server."""
    shell: Shell = ctx.obj
    if download and not download.startswith("https://"):
        raise InputError(f"--download {download!r} is no address that clients take; give it like https://HOST/FOLDER")
    files = _files()
    made: list[dict[str, Any]] = []
    for name in chosen_servers(server):
        made.append(_make(shell, name, files, out=out, namespace=namespace, download=download))
    shell.show({"bundles": made}, lambda shown: "\n".join(f"{item['bundle']}  {item['sha256']}" for item in made))


def _make(
    shell: Shell, name: ServerName, files: dict[str, bytes], *, out: Path, namespace: str, download: str
) -> dict[str, Any]:
    from casewright.clients.bundling import bundle as pack
    from casewright.clients.bundling import document, registry_entry

    offered = _offered(shell, name)
    packed = pack(offered, files)
    file = f"{offered.name}-{offered.version}.mcpb"
    try:
        address = f"{download.rstrip('/')}/{file}" if download else ""
        entry = registry_entry(offered, namespace=namespace, download=address, packed=packed)
    except ValueError as error:
        raise InputError(f"--namespace {namespace!r} has not the form of io.github.YOU; correct it") from error
    target = out / name
    try:
        target.mkdir(parents=True, exist_ok=True)
        (target / file).write_bytes(packed)
        described = entry.model_dump(mode="json", by_alias=True, exclude_none=True)
        (target / "server.json").write_bytes(document(described))
    except OSError as error:
        raise StorageError(f"{str(target)!r} cannot be written: {error.strerror}; name another with --out") from error
    return {
        "server": name,
        "bundle": str(target / file),
        "registry": str(target / "server.json"),
        "bytes": len(packed),
        "sha256": sha256(packed).hexdigest(),
    }


def _offered(shell: Shell, name: ServerName) -> "Offered":
    from casewright.clients.bundling import Offered
    from commands.mcp_install import OF_ONE_CASE
    from servers.build import ServerFactory

    definitions = ServerFactory(shell.services).definitions(name)
    about = importlib.metadata.metadata("casewright")
    needed = importlib.metadata.requires("casewright") or []
    return Offered(
        server=name,
        version=__version__,
        description=DESCRIPTIONS[name],
        tools=tuple((item.spec.name, _first_sentence(item.tool.description or "")) for item in definitions),
        python=about["Requires-Python"],
        dependencies=tuple(one for one in needed if "extra ==" not in one),
        of_one_case=name in OF_ONE_CASE,
    )


def _first_sentence(text: str) -> str:
    return " ".join(text.split()).partition(". ")[0].rstrip(".") + "."


def _files() -> dict[str, bytes]:
    """Our own files under the names that they have in a bundle."""
    root = app_root()
    package = root if (root / "casewright").is_dir() else root.parent.parent  # a checkout, or what is installed
    folders = ["casewright", *(room for room in ROOMS if (package / room).is_dir())]
    found = {
        path.relative_to(package).as_posix(): path.read_bytes()
        for folder in folders
        for path in sorted((package / folder).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }
    found["main.py"] = found["casewright/clients/bundle_main.py"]
    own = importlib.metadata.distribution("casewright")
    for name in LICENSES:
        text = own.read_text(f"licenses/{name}")
        if text is not None:
            found[name] = text.encode()
    return found
