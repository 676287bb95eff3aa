"""A review over a `models.toml`: each task goes to the tier of its risk, and past a model that fails."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.graphs.reviews import copied, reviewer_of
from tests.support.anthropic_messages import error
from tests.support.anthropic_server import API_KEY, Step, model_server
from tests.support.installation import CHECKOUT, opened, process_environment
from tests.support.scripted_model import ScriptedModel

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(400)]
CASE = "HL-2026-0001"
WAITING = 4
"""Exit code of a review that waits for approval."""
FILE = """
[anthropic]
key_variable = "CLAUDE_KEY"
base_url = "{address}"
[anthropic.models."claude-haiku-4-5"]
[anthropic.models."claude-sonnet-5"]
[anthropic.models."claude-opus-5"]

[tiers]
fast = ["anthropic/claude-haiku-4-5"]
standard = ["anthropic/claude-sonnet-5"]
strong = ["anthropic/claude-opus-5", "anthropic/claude-sonnet-5"]

[calls]
first_pause_seconds = 0.01
longest_pause_seconds = 0.02
"""


class OverloadedOpus(ScriptedModel):
    """Every model but one answers."""

    def __call__(self, request: dict[str, Any]) -> Step:
        if request["model"] == "claude-opus-5":
            return Step(status=529, body=error("overloaded_error"))
        return super().__call__(request)


def casewright(home: Path, *arguments: str, expected: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "casewright.launch", *arguments, "--json"],
        env=process_environment(home, CLAUDE_KEY=API_KEY, ANTHROPIC_API_KEY="", ANTHROPIC_BASE_URL=""),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == expected, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.proves("F1", "F4")
async def test_every_task_of_a_review_goes_to_its_tier_and_past_a_model_that_is_overloaded(
    installation: Path, tmp_path: Path
) -> None:
    home = copied(installation, tmp_path / "home")
    with model_server(OverloadedOpus()) as server:
        (home / "models.toml").write_text(FILE.format(address=server.base_url), encoding="utf-8")
        listed = casewright(home, "models", "list", expected=0)
        report = casewright(home, "review", CASE, "--as", reviewer_of(CASE), expected=WAITING)
    assert {one["task"]: one["asks"] for one in listed["tasks"]}["draft.recommendation"] == [
        "anthropic/claude-opus-5",
        "anthropic/claude-sonnet-5",
        "offline",
    ]
    async with opened(home) as world:
        events = await world.events(run_id=report["run_id"])
    calls = {event.body["task"]: event.body for event in events if event.kind == "model.called"}
    tried = {task: [(one["model"], one["outcome"]) for one in body["attempts"]] for task, body in calls.items()}
    assert tried == {
        "intake.classify": [("claude-haiku-4-5", "answered")],
        "research.select": [("claude-sonnet-5", "answered")],
        "draft.recommendation": [*[("claude-opus-5", "failed")] * 3, ("claude-sonnet-5", "answered")],
    }
    drafted = calls["draft.recommendation"]
    assert (drafted["degraded"], drafted["calls"], report["model"]) == (True, 4, "claude-sonnet-5")
    assert drafted["reason"].startswith("anthropic: HTTP 529 overloaded_error; gave up after 3 attempts")
