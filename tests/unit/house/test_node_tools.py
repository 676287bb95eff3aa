"""The pinned Node tools: every package by its hash, none by an address, and what is lacking is said."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent.parent.parent
PINNED = CHECKOUT / "scripts" / "node"


def locked() -> dict[str, dict[str, Any]]:
    packages: dict[str, dict[str, Any]] = json.loads((PINNED / "package-lock.json").read_text())["packages"]
    return {name: entry for name, entry in packages.items() if name}


@pytest.mark.proves("I1")
def test_every_package_is_held_to_a_hash_and_none_is_tied_to_a_registry() -> None:
    found = locked()
    assert len(found) > 200
    assert [name for name, entry in found.items() if not str(entry.get("integrity", "")).startswith("sha512-")] == []
    assert [name for name, entry in found.items() if "resolved" in entry] == []


@pytest.mark.proves("I1")
def test_the_lock_holds_the_versions_that_are_asked_for() -> None:
    wanted = json.loads((PINNED / "package.json").read_text())
    asked = wanted["dependencies"] | wanted["optionalDependencies"]
    found = {name.removeprefix("node_modules/"): entry["version"] for name, entry in locked().items()}
    assert {name: found[name] for name in asked} == asked


@pytest.mark.proves("I1")
def test_without_npm_it_is_said_what_to_do(tmp_path: Path) -> None:
    script = (CHECKOUT / "scripts" / "get_node.py").read_text().replace('ROOT / ".tools"', f"Path({str(tmp_path)!r})")
    copy = tmp_path / "scripts" / "get_node.py"
    (copy.parent / "node").mkdir(parents=True)
    copy.write_text(script)
    for name in ("package.json", "package-lock.json"):
        (copy.parent / "node" / name).write_text((PINNED / name).read_text())
    empty = tmp_path / "empty"
    empty.mkdir()
    done = subprocess.run(
        [sys.executable, str(copy)],
        env={**os.environ, "PATH": str(empty)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert "there is no npm on PATH" in done.stderr
