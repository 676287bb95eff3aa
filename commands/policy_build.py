"""`casewright policy build`: the policies as one signed file for OPA servers.

Part of `casewright policy`. Needs no OPA; what it writes is what `deploy/opa` loads.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from casewright.access import signed_bundle
from casewright.access.bundle import read_bundle
from casewright.access.warmup import vet
from casewright.errors import InputError
from commands.policy_folder import FOLDER, policy_folder
from commands.shell import Shell

OUTPUT = typer.Option(Path("casewright-policies.tar.gz"), "--output", help="The file to write.")
KEY = typer.Option(..., "--key", help="The private key (PEM): P-256 or RSA.")


def register(app: typer.Typer) -> None:
    """Add the command to `casewright policy`."""
    app.command("build")(build)


def build(
    ctx: typer.Context,
    key: Path = KEY,
    keyid: str = typer.Option(..., "--keyid", help="The name of the key in OPA's configuration."),
    output: Path = OUTPUT,
    policies: Path | None = FOLDER,
    new_key: bool = typer.Option(False, "--new-key", help="Make the private key first; never overwrites one."),
) -> None:
    """Build a signed OPA bundle of the policies, without their tests; prints the revision."""
    shell: Shell = ctx.obj
    if not keyid.strip():
        raise InputError(f"{keyid!r} is no key id; OPA's configuration names the key by it")
    bundle = read_bundle(policy_folder(shell, policies))
    vet(bundle)
    signer = (signed_bundle.new_key if new_key else signed_bundle.load_key)(key, keyid=keyid)
    content = signed_bundle.signed_bundle(bundle, signer)
    public = output.with_name(output.name + ".pub.pem")
    _write(output, content)
    _write(public, signer.public_pem.encode())
    document: dict[str, Any] = {
        "bundle": str(output),
        "bytes": len(content),
        "revision": bundle.revision,
        "files": len(bundle.modules),
        "keyid": signer.keyid,
        "algorithm": signer.algorithm,
        "scope": signed_bundle.SCOPE,
        "public_key": str(public),
    }
    shell.show(document, _view)


def _write(path: Path, content: bytes) -> None:
    """Replace the file in one step: an OPA that polls it sees the old one or the new one."""
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be written: {error}; name another file with --output") from error


def _view(document: dict[str, Any]) -> RenderableType:
    return Group(
        Text(f"{document['bundle']}: {document['files']} policy files, {document['bytes']} bytes", style="green"),
        Text(f"revision   {document['revision']}"),
        Text(f"signed     {document['algorithm']} by {document['keyid']}, scope {document['scope']}"),
        Text(f"public key {document['public_key']}: OPA checks the bundle with it (deploy/opa)"),
    )
