"""The tools for policy authors from their command line: documents, exit codes, watching, people who may not."""

import contextlib
import io
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from commands.main import run
from tests.support.installation import CASE, POLICIES, interruptible, process_environment
from tests.unit.access.inputs import READ_CASE, changed

WAIT = 60.0
pytestmark = [pytest.mark.timeout(240), pytest.mark.thorough]


@dataclass(frozen=True, kw_only=True)
class Said:
    """What one command line did."""

    code: int
    out: str
    errors: str

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.out)


def said(home: Path, *arguments: str, text: str = "") -> Said:
    """`casewright ARGUMENTS` in this process, over a data folder."""
    out, errors = io.StringIO(), io.StringIO()
    before, sys.stdin = sys.stdin, io.StringIO(text)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            code = run([*arguments, "--home", str(home)])
    finally:
        sys.stdin = before
    return Said(code=code, out=out.getvalue(), errors=errors.getvalue())


def as_json(home: Path, *arguments: str, text: str = "") -> Said:
    return said(home, *arguments, "--json", text=text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the policies to change."""
    return Path(shutil.copytree(POLICIES, tmp_path / "candidate"))


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A data folder that is not there: most of these commands need none."""
    return tmp_path / "none"


def change(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


DATA = "data/access/data.json"
ALLOW = "casewright/access/allow.rego"


@pytest.mark.proves("D8")
def test_check_names_every_checker_and_the_place_of_every_problem(bare: Path, folder: Path) -> None:
    good = as_json(bare, "policy", "check", "--policies", str(folder))
    assert (good.code, good.document["ok"], good.document["failed"]) == (0, True, 0)
    assert [engine["engine"] for engine in good.document["engines"]] == ["embedded", "opa check", "opa fmt", "regal"]
    for engine in good.document["engines"]:
        assert engine["ran"] or engine["why_not"]
    lines = (folder / ALLOW).read_text().count("\n")
    (folder / ALLOW).write_text((folder / ALLOW).read_text() + "\n_odd if http.send({})\n")
    bad = as_json(bare, "policy", "check", "--policies", str(folder))
    assert bad.code == 1
    assert (ALLOW, lines + 2) in [(row["path"], row["line"]) for row in bad.document["problems"]]
    assert f"{ALLOW}:{lines + 2}" in said(bare, "policy", "check", "--policies", str(folder)).out.replace("\n", "")


@pytest.mark.proves("D8")
def test_a_folder_without_policies_and_a_thing_that_is_none_are_named(bare: Path, tmp_path: Path) -> None:
    empty = as_json(bare, "policy", "check", "--policies", str(tmp_path))
    assert empty.code == 1
    assert "holds no .rego file" in empty.document["problems"][0]["message"]
    for command in ("test", "matrix"):
        refused = as_json(bare, "policy", command, "--policies", str(tmp_path))
        assert refused.code != 0
        assert str(tmp_path) in refused.document["error"]["message"]
    assert as_json(bare, "policy", "matrix", "--policies", "nowhere").code == 2


@pytest.mark.proves("D8")
def test_tests_fail_the_command_when_one_fails_or_too_little_is_covered(bare: Path, folder: Path) -> None:
    (folder / "casewright/access/more_test.rego").write_text(
        'package casewright.access_test\n\nimport rego.v1\n\ntest_wrong if {\n\tprint("seen", 5)\n\tfalse\n}\n'
    )
    few = as_json(bare, "policy", "test", "--policies", str(folder), "--name", "an_assigned_reviewer")
    assert (few.code, few.document["failed"]) == (0, [])
    assert few.document["engines"] == {"embedded": {"passed": few.document["passed"], "failed": 0}}
    assert few.document["uncovered"][ALLOW]
    wanted = ("policy", "test", "--policies", str(folder), "--name", "an_assigned_reviewer", "--coverage", "99")
    assert as_json(bare, *wanted).code == 1
    assert "99 % are wanted" in said(bare, *wanted).out
    failing = said(bare, "policy", "test", "--policies", str(folder), "--name", "test_wrong")
    assert failing.code == 1
    assert "casewright/access/more_test.rego:5" in failing.out.replace("\n", "")
    assert "more_test.rego:6: seen 5" in failing.out
    assert as_json(bare, "policy", "test", "--engine", "none").code == 2
    assert as_json(bare, "policy", "test", "--coverage", "5", "--engine", "opa").code == 2
    assert as_json(bare, "policy", "test", "--watch").code == 2


@pytest.mark.proves("D8")
def test_junit_is_written_where_it_is_asked_for(bare: Path, tmp_path: Path) -> None:
    file = tmp_path / "tests.xml"
    arguments = ("policy", "test", "--name", "an_assigned_reviewer", "--junit")
    assert as_json(bare, *arguments, str(file)).code == 0
    assert 'failures="0"' in file.read_text()
    refused = as_json(bare, *arguments, str(tmp_path / "no" / "tests.xml"))
    assert refused.code == 2
    assert "--junit" in refused.document["error"]["message"]


@pytest.mark.proves("D8")
def test_a_decision_from_standard_input_is_explained_for_programs_and_for_people(bare: Path) -> None:
    denied = json.dumps(changed(READ_CASE, "resource", assigned_to=[]))
    document = as_json(bare, "policy", "explain", "-", text=denied).document
    assert (document["allow"], document["code"]) == (False, "not_assigned")
    fired = {(rule["rule"], rule["code"]): rule for rule in document["fired"]}
    assert fired[("deny", "not_assigned")]["title"] == "Not assigned"
    assert all((POLICIES / rule["file"]).is_file() and rule["line"] > 0 for rule in document["fired"])
    assert {"code", "file", "line", "condition"} <= document["nearly"][0].keys()
    shown = said(bare, "policy", "explain", "-", text=denied).out
    assert "deny (not_assigned)" in shown
    assert "input.principal.id in input.resource.assigned_to" in shown
    assert 'input.principal.id = "rosa"' in shown
    allowed = said(bare, "policy", "explain", "-", text=json.dumps(READ_CASE)).out
    assert "conflict_of_interest" in allowed
    odd = said(bare, "policy", "explain", "-", text='{"schema": "input/v1"}').out
    assert "missing, odd or unknown: principal" in odd
    for text in ("", "[]", "{", '"x"'):
        refused = as_json(bare, "policy", "explain", "-", text=text)
        assert refused.code == 2
        assert "standard input" in refused.document["error"]["message"]


@pytest.mark.proves("D8")
def test_the_matrix_is_drawn_for_terminals_documents_and_programs(bare: Path) -> None:
    asked = ("policy", "matrix", "--role", "reviewer", "--tool", "drafting/execute_action")
    row = as_json(bare, *asked).document["rows"][0]
    assert row["cells"][1] == {"state": "assigned", "effect": "require_approval", "code": ""}
    table = said(bare, *asked, "--markdown").out.splitlines()
    assert table[2].startswith("| `drafting/execute_action` | reviewer | maybe | approval | deny (not_assigned) |")
    drawn = said(bare, *asked).out
    assert "ask" in drawn
    assert "= not_assigned" in drawn.replace("\n", " ")
    assert as_json(bare, *asked, "--markdown").code == 2


@pytest.mark.proves("D8")
def test_a_replay_over_a_file_stops_a_change_until_its_flips_are_accepted(
    bare: Path, folder: Path, tmp_path: Path
) -> None:
    change(folder, DATA, '"cases": "assigned"', '"cases": "tenant"')
    inputs = tmp_path / "inputs.jsonl"
    rows = [changed(READ_CASE, "resource", assigned_to=[]), READ_CASE]
    inputs.write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = ("policy", "replay", "--candidate", str(folder), "--inputs", str(inputs))
    found = as_json(bare, *asked)
    assert found.code == 1
    assert found.document["flips"] == [
        {
            "input": "line 1",
            "from": "deny",
            "to": "permit",
            "kind": "newly_permitted",
            "tool": "case-facts/get_case",
            "role": "reviewer",
            "codes": {"from": ["not_assigned"], "to": ["tenant_wide"]},
            "changes": [],
        }
    ]
    assert found.document["counts"]["permissive"] == 1
    assert "newly permitted" in said(bare, *asked).out
    assert as_json(bare, *asked, "--accept-all").code == 0
    draft = tmp_path / "accepted.json"
    assert as_json(bare, *asked, "--draft-acceptance", str(draft)).code == 1
    assert as_json(bare, *asked, "--accept", str(draft)).code == 2, "nobody has signed it"
    draft.write_text(draft.read_text().replace('"who": ""', '"who": "petra"').replace('"why": ""', '"why": "w"'))
    assert as_json(bare, *asked, "--accept", str(draft)).code == 0
    change(folder, DATA, '"sees": "confidential", "sealed": false', '"sees": "restricted", "sealed": true')
    assert as_json(bare, *asked, "--accept", str(draft)).code == 1, "something else flips now"


@pytest.mark.proves("D8")
def test_a_replay_says_what_is_missing_or_wrong(bare: Path, folder: Path, tmp_path: Path) -> None:
    inputs = tmp_path / "inputs.jsonl"
    inputs.write_text("{}\n")
    base = ("policy", "replay", "--inputs", str(inputs))
    assert "--candidate" in as_json(bare, *base).document["error"]["message"]
    bad_line = as_json(bare, *base, "--candidate", str(folder))
    assert bad_line.code == 2
    assert "line 1" in bad_line.document["error"]["message"]
    inputs.write_text("\n")
    assert as_json(bare, *base, "--candidate", str(folder)).code == 2
    inputs.write_text(json.dumps(READ_CASE))
    (folder / ALLOW).write_text("package casewright.access\n\nallow {")
    broken = as_json(bare, *base, "--candidate", str(folder))
    assert broken.code == 2
    assert f"{ALLOW}:" in broken.document["error"]["message"]
    assert as_json(bare, *base, "--candidate", str(tmp_path / "none")).code == 2
    wrong_day = ("policy", "replay", "--candidate", str(POLICIES), "--since", "soon")
    assert "'soon'" in as_json(bare, *wrong_day).document["error"]["message"]


@pytest.mark.proves("D8")
def test_recorded_decisions_are_replayed_exported_and_explained_by_those_who_may(
    home: Path, folder: Path, tmp_path: Path
) -> None:
    for _ in range(2):
        assert said(home, "cases", "show", CASE, "--as", "rosa").code == 0
    replay = ("policy", "replay", "--candidate", str(folder))
    same = as_json(home, *replay, "--as", "petra")
    assert (same.code, same.document["flips"], same.document["not_reproducible"]) == (0, [], [])
    assert same.document["inputs"] >= 2
    change(folder, DATA, '"cases": "assigned", "sees": "confidential"', '"cases": "assigned", "sees": "internal"')
    flipped = as_json(home, *replay, "--as", "petra", "--tool", "get_case")
    assert flipped.code == 1
    flip = flipped.document["flips"][0]
    assert (flip["kind"], flip["role"]) == ("tightened", "reviewer")
    assert flip["changes"] == ["redact above confidential -> internal"]
    explained = as_json(home, "policy", "explain", flip["input"], "--as", "avery").document
    assert explained["recorded"]["decision_id"] == flip["input"]
    assert (explained["recorded"]["effect"], explained["recorded"]["missing"]) == ("permit", [])
    assert explained["effect"] == "permit"
    for refused in (
        as_json(home, *replay, "--as", "rosa"),
        as_json(home, "policy", "explain", flip["input"], "--as", "rosa"),
        as_json(home, "policy", "explain", flip["input"], "--as", "petra"),
        as_json(home, "policy", "replay", "--export", str(tmp_path / "no"), "--with-personal-data", "--as", "petra"),
    ):
        assert refused.code == 3
    assert not (tmp_path / "no").exists()
    assert as_json(home, "policy", "explain", "dec-unknown", "--as", "avery").code == 2
    _export_and_replay(home, folder, tmp_path)
    assert as_json(home, "audit", "verify").document["ok"] is True


def _export_and_replay(home: Path, folder: Path, tmp_path: Path) -> None:
    """Without personal data nothing can be decided again; with it everything can."""
    hidden, whole = tmp_path / "hidden.jsonl", tmp_path / "whole.jsonl"
    assert as_json(home, "policy", "replay", "--export", str(hidden), "--as", "petra").document["decisions"] > 2
    assert "rosa" not in hidden.read_text()
    assert as_json(home, "policy", "replay", "--candidate", str(folder), "--inputs", str(hidden)).code == 2
    export = ("policy", "replay", "--export", str(whole), "--with-personal-data", "--as", "avery")
    assert as_json(home, *export).document["personal_data"] is True
    again = as_json(home, "policy", "replay", "--candidate", str(folder), "--inputs", str(whole)).document
    assert again["counts"]["tightened"] > 0
    assert as_json(home, *export).code == 2, "the file is there already"


def watched(folder: Path, home: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "casewright.launch", "policy", "test", "--watch", "--policies", str(folder)]
    return subprocess.Popen(
        [*command, "--name", "an_assigned_reviewer", "--engine", "embedded"],
        env=process_environment(home, COLUMNS="100", PYTHONUNBUFFERED="1"),
        preexec_fn=interruptible,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def lines_until(process: "subprocess.Popen[str]", wanted: str) -> str:
    """What the process says up to the line that holds `wanted`; bounded."""
    assert process.stdout is not None
    descriptor, said, end = process.stdout.fileno(), "", time.monotonic() + WAIT
    while wanted not in said:
        ready, _, _ = select.select([descriptor], [], [], max(0.0, end - time.monotonic()))
        assert ready, f"{wanted!r} was not said: {said}"
        part = os.read(descriptor, 65_536).decode()
        assert part, f"the process ended: {said}"
        said += part
    return said


def told_at_last(process: "subprocess.Popen[str]", wanted: str) -> None:
    """Wait for the round that says `wanted`; one before it may have found the change half made."""
    while wanted not in lines_until(process, "waiting for a change"):
        continue


@pytest.fixture
def watching(bare: Path, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    process = watched(folder, bare)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=WAIT)


@pytest.mark.proves("D8")
def test_watching_tests_again_on_a_change_waits_out_a_mistake_and_ends_with_ctrl_c(
    watching: "subprocess.Popen[str]", folder: Path
) -> None:
    lines_until(watching, "waiting for a change")
    change(folder, ALLOW, '"tenant"', '"nowhere"')
    change(folder, ALLOW, '_reason("assigned"', '_reason("other"')
    told_at_last(watching, "1 failed")
    good = (POLICIES / ALLOW).read_text()
    (folder / ALLOW).write_text("package casewright.access\n\nallow {")
    told_at_last(watching, "not tested")
    (folder / ALLOW).write_text(good)
    told_at_last(watching, "0 failed")
    watching.send_signal(signal.SIGINT)
    rest, _ = watching.communicate(timeout=WAIT)
    assert watching.returncode == 0
    assert "Traceback" not in rest
