"""docs/policies.md as a person follows it: every file written, every command run, in order."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from casewright.access.annotations import annotation_of
from casewright.access.bundle import read_bundle
from casewright.access.decide import decide
from casewright.access.embedded import EmbeddedEngine
from casewright.access.explain_probes import probes
from casewright.access.warmup import inspect
from casewright.contracts.decision import Allowed, DecisionInput
from tests.support.installation import CHECKOUT, POLICIES, process_environment

GUIDE = CHECKOUT / "docs/policies.md"
WAIT = 110
pytestmark = [pytest.mark.timeout(400), pytest.mark.thorough]
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXIT = re.compile(r"\s+# exit (\d+)$")


def blocks() -> Iterator[tuple[str, str, str]]:
    """Language, file (if the block is one) and text of each fenced block."""
    for found in _BLOCK.finditer(GUIDE.read_text(encoding="utf-8")):
        yield found[1], found[2] or "", found[3]


def commands(text: str) -> Iterator[tuple[str, int]]:
    """Each command line of a block and the exit code it is to have."""
    for line in text.splitlines():
        code = _EXIT.search(line)
        yield _EXIT.sub("", line), int(code[1]) if code else 0


@pytest.mark.proves("D8")
def test_every_command_of_the_guide_does_what_the_guide_says(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "checkout"
    folder.mkdir()
    shutil.copytree(POLICIES, folder / "policies")
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "casewright"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m casewright.launch "$@"\n')
    program.chmod(0o755)
    environment = process_environment(home, CASEWRIGHT_POLICIES=str(folder / "policies"))
    environment["PATH"] = f"{programs}:{environment['PATH']}"
    ran = 0
    for language, file, text in blocks():
        if file:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(text, encoding="utf-8")
        for line, code in commands(text) if language == "sh" else ():
            done = subprocess.run(
                ["bash", "-c", line],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=WAIT,
                check=False,
            )
            assert done.returncode == code, f"{line}\n{done.stdout}\n{done.stderr}"
            ran += 1
    assert ran > 20
    accepted = json.loads((folder / "accepted.json").read_text())
    assert {entry["kind"] for entry in accepted} == {"tightened"}
    assert "test_nothing_is_written_to_a_closed_case" in (folder / "tests.xml").read_text()
    assert (folder / "policies/casewright/access/closed.rego").exists() is False, "the change was undone"


@pytest.mark.proves("D8")
def test_the_decision_in_the_guide_is_the_one_the_policy_gives() -> None:
    files = {file: text for _, file, text in blocks() if file.endswith(".json")}
    verdict = decide(EmbeddedEngine.load(POLICIES), DecisionInput.model_validate_json(files["input.json"], strict=True))
    assert isinstance(verdict, Allowed)
    shown: dict[str, Any] = json.loads(files["decision.json"])
    given = json.loads(verdict.decision.model_dump_json(by_alias=True))
    assert shown | {"revision": ""} == given | {"revision": ""}


@pytest.mark.proves("D8")
def test_the_guide_lists_every_code_of_the_policy_with_its_meaning_and_no_other() -> None:
    modules, _ = inspect(read_bundle(POLICIES))
    texts = {syntax.module.path: syntax for syntax in modules}
    wanted: dict[str, str] = {}
    for probe in probes(modules, ("casewright", "access")):
        if probe.rule in ("allow", "deny"):
            syntax = texts[probe.path]
            told = annotation_of(syntax.module.text, probe.line)
            wanted.setdefault(probe.code, told.description or told.title)
    rows = re.findall(r"^\| `(\w+)` \| (?:allows: )?(.*?) \| `", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert dict(rows) == wanted


@pytest.mark.proves("D8")
def test_the_guide_names_every_command_for_authors() -> None:
    from commands.policy import build

    names = {info.name for info in build().registered_commands} | {info.name for info in build().registered_groups}
    text = GUIDE.read_text(encoding="utf-8")
    assert {name for name in names if f"casewright policy {name}" not in text} == set()
