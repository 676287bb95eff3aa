"""Command lines that are wrong, and those that only ask what there is."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from casewright import __version__
from casewright.config import app_root
from commands.main import COMMANDS, build
from tests.support.installation import process_environment
from tests.unit.commands.conftest import Casewright

HEAVY = ("langgraph", "lancedb", "mcp", "anthropic", "sqlalchemy", "alembic", "pyarrow", "numpy")


def test_version_is_printed_for_people_and_programs(alone: Casewright) -> None:
    assert alone("--version").out == f"casewright {__version__}\n"
    assert alone("--version", "--json").document["version"] == __version__


def test_help_lists_every_command_with_its_summary(alone: Casewright) -> None:
    shown = alone("--help")
    assert shown.code == 0
    for name in COMMANDS:
        assert f" {name} " in shown.out
    assert all(len(line) <= 80 for line in shown.out.splitlines())


def test_help_needs_no_data_folder_and_survives_a_wrong_one(alone: Casewright, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    assert alone("cases", "list", "--help", "--home", str(file)).code == 0


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_summary_in_the_list_is_that_of_the_command_itself(name: str) -> None:
    app = build(name)
    groups = {info.name: info.typer_instance for info in app.registered_groups}
    if name in groups:
        instance = groups[name]
        assert instance is not None
        assert instance.info.help == COMMANDS[name]
        return
    (info,) = [info for info in app.registered_commands if info.name == name]
    assert info.callback is not None
    assert (info.help or (info.callback.__doc__ or "").split("\n\n")[0].strip()) == COMMANDS[name]


@pytest.mark.parametrize(
    ("line", "named", "way_out"),
    [
        (["bogus"], "bogus", "casewright --help"),
        (["--bogus"], "--bogus", "casewright --help"),
        (["cases"], "subcommand", "casewright cases --help"),
        (["cases", "bogus"], "bogus", "casewright cases --help"),
        (["cases", "list", "--bogus"], "--bogus", "casewright cases list --help"),
        (["cases", "list", "extra"], "extra", "casewright cases list --help"),
        (["cases", "show"], "case_id", "casewright cases show --help"),
        (["corpus", "search", "x", "--limit", "51"], "--limit", "casewright corpus search --help"),
        (["corpus", "search", "x", "--limit", "many"], "--limit", "casewright corpus search --help"),
        (["token", "case-facts", "--minutes", "0"], "--minutes", "casewright token --help"),
        (["cases", "list", "--as"], "--as", "--as rosa"),
        (["policy", "check", "--policies", "nowhere"], "'nowhere'", "--policies"),
        (["policy", "explain", "nowhere.json"], "'nowhere.json'", "input/v1"),
    ],
)
def test_a_wrong_command_line_is_bad_input_that_names_the_fault_and_the_way_out(
    alone: Casewright, line: list[str], named: str, way_out: str
) -> None:
    plain, as_json = alone(*line), alone(*line, *([] if line[-1] == "--as" else ["--json"]))
    assert plain.code == 2
    assert plain.errors.startswith("casewright: ") or line == ["cases"]
    assert named in plain.errors
    assert way_out in plain.errors
    if line[-1] != "--as":
        assert as_json.code == 2
        assert way_out in as_json.refusal


def test_no_arguments_at_all_shows_the_help_and_is_bad_input(alone: Casewright) -> None:
    shown = alone()
    assert shown.code == 2
    assert "Usage: casewright" in shown.out + shown.errors


def test_a_data_folder_that_is_not_set_up_says_how(alone: Casewright, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    for line in (["cases", "list"], ["approvals", "list"], ["audit", "verify"], ["ask", "What?"], ["audit", "head"]):
        refused = alone(*line, "--home", str(empty), "--json")
        assert refused.code == 1
        assert "casewright init" in refused.refusal
    assert not empty.exists()


def test_a_home_that_is_a_file_is_bad_input(alone: Casewright, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    for line in (["init"], ["cases", "list"]):
        refused = alone(*line, "--home", str(file), "--json")
        assert refused.code == 2
        assert repr(str(file)) in refused.refusal
        assert "--home" in refused.refusal
    assert file.read_text() == "x"


def test_the_home_option_wins_over_the_environment(
    alone: Casewright, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASEWRIGHT_HOME", str(tmp_path / "of-the-environment"))
    assert "of-the-environment" in alone("cases", "list", "--json").refusal
    refused = alone("cases", "list", "--json", "--home", str(tmp_path / "of-the-option")).refusal
    assert "of-the-option" in refused
    assert "of-the-environment" not in refused


def test_a_budget_in_the_environment_that_is_no_number_is_bad_input(
    alone: Casewright, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASEWRIGHT_BUDGET_STEPS", "many")
    refused = alone("cases", "list", "--json")
    assert refused.code == 2
    assert "CASEWRIGHT_BUDGET_STEPS='many'" in refused.refusal


def test_a_reader_that_goes_away_ends_the_command_quietly(tmp_path: Path) -> None:
    program = (
        "import os, sys\n"
        "reader, writer = os.pipe(); os.close(reader); os.dup2(writer, 1)\n"
        "from commands.main import run\n"
        "sys.exit(run(['--version']))\n"
    )
    done = _python(program, tmp_path)
    assert (done.returncode, done.stderr) == (1, "")


def test_light_commands_import_nothing_heavy(tmp_path: Path) -> None:
    program = (
        "import json, sys\n"
        "from commands.main import run\n"
        "code = run(['--help']); run(['--version'])\n"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]), file=sys.stderr)\n"
        "sys.exit(code)\n"
    )
    done = _python(program, tmp_path)
    assert done.returncode == 0
    assert json.loads(done.stderr) == []


def test_reading_the_queue_imports_neither_graph_nor_index(tmp_path: Path) -> None:
    program = (
        "import importlib, json, sys\n"
        "for name in ('approvals', 'runs', 'token', 'audit', 'policy'):\n"
        "    importlib.import_module('commands.' + name)\n"
        "heavy = ('langgraph', 'lancedb', 'anthropic', 'alembic')\n"
        "print(json.dumps([name for name in heavy if name in sys.modules]))\n"
    )
    done = _python(program, tmp_path)
    assert json.loads(done.stdout) == []


def test_global_options_may_stand_before_mcp_as_well(alone: Casewright, tmp_path: Path) -> None:
    refused = alone("--home", str(tmp_path / "empty"), "--as", "rosa", "mcp", "case-facts")
    assert refused.code == 1
    assert "casewright init" in refused.errors
    unknown = alone("--as", "rosa", "mcp", "elsewhere")
    assert unknown.code == 2
    assert "policy-search" in unknown.errors


def test_a_port_that_is_none_is_refused_before_anything_starts(alone: Casewright) -> None:
    for port in ("99999", "-1", "x"):
        refused = alone("--as", "rosa", "mcp", "policy-search", "--http", f"--port={port}")
        assert refused.code == 2
        assert port in refused.errors and "Traceback" not in refused.errors


def test_mcp_keeps_the_promises_of_the_global_options(alone: Casewright) -> None:
    assert {"lock", "pinned", "differences"} <= set(alone("--json", "--as", "rosa", "mcp", "definitions").document)
    assert "do not fit" in alone("--json", "mcp", "elsewhere").refusal
    bare = alone("mcp", "--json")
    assert "a subcommand is missing" in bare.refusal
    assert all(name in bare.errors for name in ("install", "policy-search", "definitions"))


def test_ports_and_addresses_that_are_none_are_refused_before_anything_is_made(alone: Casewright) -> None:
    assert "--metrics-port" in alone("serve", "--metrics-port", "99999", "--json").refusal
    for address in ("elsewhere", "http://downloads.example/casewright"):
        assert f"--download {address!r}" in alone("mcp", "bundle", "--download", address, "--json").refusal


def test_the_help_of_mcp_names_what_is_there_beside_the_servers(alone: Casewright) -> None:
    shown = alone("--as", "rosa", "mcp", "-h").out
    assert all(name in shown for name in ("install", "doctor", "bundle", "definitions"))


def test_a_question_without_words_or_without_end_is_refused_by_its_name(alone: Casewright) -> None:
    for question in ("", "  ", "x" * 2_001):
        assert "the question is empty or longer than 2,000" in alone("ask", question, "--json").refusal


def test_every_command_module_can_be_imported_alone() -> None:
    for name in COMMANDS:
        assert build(name).registered_commands
    assert importlib.import_module("commands.mcp_servers")


def _python(program: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        env=process_environment(home, COLUMNS="80"),
        cwd=app_root(),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
