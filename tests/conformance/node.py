"""Where Node and what it runs are; `scripts/get-node` brings them, and tests skip without them except in CI."""

import os
from pathlib import Path

import pytest

from tests.support.installation import CHECKOUT

TOOLS = CHECKOUT / ".tools" / "node" / "node_modules"
BINARIES = TOOLS / ".bin"


def binary(name: str) -> Path:
    """A program of the pinned packages.

    Raises:
        FileNotFoundError: it is not there; the message says what brings it.
    """
    found = BINARIES / name
    if not found.exists():
        raise FileNotFoundError(f"there is no {name!r} in .tools/node; scripts/get-node brings it")
    return found


def needed(name: str) -> Path:
    """The same for a test: it is skipped without the program, and fails where CI runs."""
    try:
        return binary(name)
    except FileNotFoundError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


def with_node(environment: dict[str, str]) -> dict[str, str]:
    """An environment in which programs find this Node first."""
    return {**environment, "PATH": f"{BINARIES}{os.pathsep}{environment.get('PATH', '')}"}
