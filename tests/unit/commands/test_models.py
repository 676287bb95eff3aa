"""`casewright models list` and `lock`: what is asked of whom, and the prompts' lock."""

import shutil
from pathlib import Path

import pytest
from rich.console import Console

import commands.models
from casewright.config import app_root
from casewright.models.tasks import TASKS
from commands import models_check
from tests.unit.commands.conftest import Casewright

FILE = """
[anthropic]
key_variable = "CLAUDE_KEY"
region = "eu"
models = { "claude-haiku-4-5" = {}, "claude-sonnet-5" = { max_input_tokens = 100_000 } }
[tiers]
fast = ["anthropic/claude-haiku-4-5"]
standard = ["anthropic/claude-sonnet-5"]
strong = ["anthropic/claude-sonnet-5", "anthropic/claude-haiku-4-5"]
[deadlines]
"draft.recommendation" = 200
"""


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A data folder with nothing but a models file."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "models.toml").write_text(FILE, encoding="utf-8")
    return folder


@pytest.mark.proves("F1", "F4")
def test_tasks_are_listed_with_their_limits_and_the_models_that_they_are_asked_of(
    alone: Casewright, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_KEY", "sk-secret-1")
    listed = alone("models", "list", "--home", str(bare), "--json")
    assert listed.code == 0 and "sk-secret-1" not in listed.out
    tasks = {one["task"]: one for one in listed.document["tasks"]}
    assert set(tasks) == set(TASKS)
    draft = tasks["draft.recommendation"]
    assert (draft["risk"], draft["tier"], draft["budget"]["seconds"]) == ("high", "strong", 200.0)
    assert draft["asks"] == ["anthropic/claude-sonnet-5", "anthropic/claude-haiku-4-5", "offline"]
    assert len(draft["prompt"]["sha256"]) == 64
    assert tasks["intake.classify"]["asks"] == ["anthropic/claude-haiku-4-5", "offline"]
    models = {one["model"]: one for one in listed.document["models"]}
    assert models["anthropic/claude-sonnet-5"]["can"]["region"] == "eu"
    assert models["anthropic/claude-sonnet-5"]["can"]["max_input_tokens"] == 100_000
    assert models["offline"]["can"]["leaves_process"] is False


def test_a_model_that_cannot_be_reached_is_listed_with_what_is_missing(alone: Casewright, bare: Path) -> None:
    listed = alone("models", "list", "--home", str(bare), "--json").document
    haiku = next(one for one in listed["models"] if one["model"] == "anthropic/claude-haiku-4-5")
    assert (haiku["configured"], haiku["missing"], haiku["can"]) == (False, "CLAUDE_KEY is not set", {})
    assert all(one["asks"] == ["offline"] for one in listed["tasks"])
    shown = alone("models", "list", "--home", str(bare))
    assert "CLAUDE_KEY is not" in shown.out and "stays in this process" in shown.out


def test_a_wrong_models_file_is_bad_input_that_names_file_key_and_way_out(alone: Casewright, bare: Path) -> None:
    (bare / "models.toml").write_text(FILE + "[risk]\nlow = 1\n", encoding="utf-8")
    refused = alone("models", "list", "--home", str(bare), "--json")
    assert refused.code == 2
    assert f"{bare / 'models.toml'}' is wrong: risk: Extra inputs" in refused.refusal
    assert "docs/models.md has every key" in refused.refusal


@pytest.mark.thorough
def test_the_doctor_names_the_models_that_are_asked_first_and_a_models_file_that_is_wrong(
    casewright: Casewright, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> tuple[bool, str]:
        checks = casewright("doctor", "--home", str(home), "--json").document["checks"]
        return next((one["ok"], one["detail"]) for one in checks if one["name"] == "models")

    (home / "models.toml").write_text(FILE, encoding="utf-8")
    ok, detail = told()
    assert ok and detail.startswith("asked first: offline/extractive; without anthropic/claude-haiku-4-5: CLAUDE_KEY")
    monkeypatch.setenv("CLAUDE_KEY", "sk-secret-1")
    assert told() == (True, "asked first: claude-haiku-4-5, claude-sonnet-5")
    (home / "models.toml").write_text("[tiers]", encoding="utf-8")
    ok, detail = told()
    assert not ok and "tiers.fast: Field required" in detail


@pytest.mark.proves("F1")
def test_prompts_are_locked_when_their_version_is_raised_and_not_before(
    alone: Casewright, bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "checkout"
    for prompts in ("agents/prompts", "evals/judging/prompts"):
        shutil.copytree(app_root() / prompts, root / prompts)
    monkeypatch.setattr(commands.models, "app_root", lambda: root)
    assert alone("models", "lock", "--json").document["locked"] == []
    prompt = root / "agents" / "prompts" / "research.md"
    changed = prompt.read_text(encoding="utf-8") + "\nBe brief.\n"
    prompt.write_text(changed, encoding="utf-8")
    for refused in (alone("models", "lock", "--json"), alone("models", "list", "--home", str(bare), "--json")):
        assert refused.code == 2 and "raise `version` in its front matter to 2" in refused.refusal
    prompt.write_text(changed.replace("version: 1", "version: 2"), encoding="utf-8")
    locked = alone("models", "lock", "--json").document["locked"]
    assert [(one["id"], one["version"]) for one in locked] == [("research.select", 2)]
    listed = alone("models", "list", "--home", str(bare), "--json").document["tasks"]
    assert {"file": "research.md", "version": 2, "sha256": locked[0]["sha256"]} in [one["prompt"] for one in listed]


@pytest.mark.thorough
def test_the_doctor_names_a_file_about_money_that_would_stop_every_call(casewright: Casewright, home: Path) -> None:
    def told() -> tuple[bool, str]:
        checks = casewright("doctor", "--home", str(home), "--json").document["checks"]
        return next((one["ok"], one["detail"]) for one in checks if one["name"] == "money")

    assert told()[0] and "no limits of tenants" in told()[1]
    (home / "spending.toml").write_text('currency = "USD"\n[tenant.harborline]\ndaily = 5\n', encoding="utf-8")
    assert told()[0] and "limits in spending.toml" in told()[1]
    for name in ("spending.toml", "prices.toml"):
        (home / name).write_text("[limits", encoding="utf-8")
        ok, detail = told()
        assert not ok and name in detail
        (home / name).unlink()


@pytest.mark.thorough
def test_the_check_tells_models_that_lack_something_from_none_that_is_described(
    casewright: Casewright, home: Path
) -> None:
    assert "set ANTHROPIC_API_KEY" in casewright("models", "check", "--as", "rosa", "--json").document["problem"]
    (home / "models.toml").write_text(FILE, encoding="utf-8")
    checked = casewright("models", "check", "--as", "rosa", "--json")
    assert checked.code == 2
    assert "no model of models.toml can be asked" in checked.document["problem"]
    assert {one["missing"] for one in checked.document["left_out"]} == {"CLAUDE_KEY is not set"}


def test_why_a_model_did_not_answer_stands_below_the_table_where_it_can_be_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    problem = "anthropic: the service cannot be reached; gave up after 3 attempts"
    check = {"tier": "fast", "model": "anthropic/claude-sonnet-5", "answered": False, "problem": problem}
    Console(width=80).print(models_check.view({"checks": [check], "left_out": []}))
    assert f"\nfast: {problem}" in capsys.readouterr().out
