"""Finds and runs the programs that authors may have beside us: `opa` and `regal`.

What is not there is not an error here: the caller says what did not run. A program gets no shell,
no input and a time limit. It is deliberately *not* how decisions are made; see `decide`.
"""

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from casewright.config import app_root
from casewright.errors import PolicyError

Tool = Literal["opa", "regal"]
OPA_AT_LEAST = (1, 21)
SECONDS = 120.0
_ARRIVAL = {
    "opa": "run scripts/get-opa, or put opa 1.21 or later on PATH",
    "regal": "put regal on PATH (it is optional)",
}


@dataclass(frozen=True, kw_only=True)
class Binary:
    """A program that can be run."""

    path: Path
    version: str


@dataclass(frozen=True, kw_only=True)
class Absent:
    """Why a program was not run, and how to get it."""

    why: str


def find(tool: Tool, *, search: str | None = None) -> Binary | Absent:
    """The program on PATH (or in `search`, written as PATH is), else in `.tools` of the checkout."""
    found = shutil.which(tool, path=search) or shutil.which(tool, path=str(app_root() / ".tools"))
    if found is None:
        return Absent(why=f"no {tool} at hand: {_ARRIVAL[tool]}")
    said = run([found, "version"]).stdout
    version = re.search(r"Version:\s*v?(\d+)\.(\d+)(\S*)", said)
    if version is None:
        return Absent(why=f"{found!r} does not say its version; {_ARRIVAL[tool]}")
    if tool == "opa" and (int(version[1]), int(version[2])) < OPA_AT_LEAST:
        return Absent(why=f"{found!r} is version {version[1]}.{version[2]}; {_ARRIVAL[tool]}")
    return Binary(path=Path(found), version=f"{version[1]}.{version[2]}{version[3]}")


def run(command: Sequence[str], *, folder: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end; its exit code is the caller's to judge.

    Raises:
        PolicyError: it cannot be started or takes longer than `SECONDS`.
    """
    try:
        return subprocess.run(  # noqa: S603 -- a program found above with arguments of our own, no shell
            list(command),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PolicyError(f"{command[0]!r} ran longer than {SECONDS:.0f} s; try it by hand") from error
    except OSError as error:
        raise PolicyError(f"{command[0]!r} cannot be started: {error}; remove it from PATH or mend it") from error
