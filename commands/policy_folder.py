"""Which policy folder a `casewright policy` command works on."""

from pathlib import Path

import typer

from casewright.errors import InputError
from commands.shell import Shell

FOLDER = typer.Option(None, "--policies", help="The Rego folder; the one in force when absent.")


def policy_folder(shell: Shell, given: Path | None, *, option: str = "--policies") -> Path:
    """The folder that was named, or the one in force.

    Raises:
        InputError: what was named is no folder.
    """
    if given is not None and not given.is_dir():
        raise InputError(f"{str(given)!r} is not a folder; name one that holds .rego files with {option}")
    return given or shell.services.release.current().policies
