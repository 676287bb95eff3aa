"""`casewright runs replay` of reviews as a user runs them: through a model behind the real wire, and with none."""

import re
import shutil
import sqlite3
from pathlib import Path

import pytest

from casewright.config import app_root
from tests.acceptance.test_scripted_model import WAITING, command
from tests.integration.graphs.reviews import copied, reviewer_of
from tests.support.anthropic_server import model_server
from tests.support.scripted_model import ScriptedModel

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(400)]
CASE = "HL-2026-0012"
TASKS = ["intake.classify", "research.select", "draft.recommendation"]


@pytest.mark.proves("F8", "G4")
def test_reviews_are_replayed_whole_in_another_process_byte_for_byte_without_model_key_or_network(
    installation: Path, tmp_path: Path
) -> None:
    home, reviewer = copied(installation, tmp_path / "home"), reviewer_of(CASE)
    with model_server(ScriptedModel()) as server:
        remote = command(home, "review", CASE, "--as", reviewer, server=server, expected=WAITING)
        asked = len(server.requests)
    run_id = remote["run_id"]
    assert remote["model"] != "offline/extractive" and asked >= len(TASKS)
    replayed = command(home, "runs", "replay", run_id, "--as", reviewer)
    assert [(call["task"], call["verdict"], call["where"]) for call in replayed["calls"]] == [
        (task, "same", "") for task in TASKS
    ]
    whole = replayed["whole"]
    assert (whole["replayed"], whole["same"], whole["difference"], whole["report"]) == (True, True, None, "same")
    assert (whole["steps"], whole["tool_calls"]) == (whole["steps_same"], remote["budget"]["spent"]["tool_calls"])
    assert sum(call["exchanges"] for call in replayed["calls"]) == asked, "every request was recorded"
    prompts = Path(shutil.copytree(app_root() / "agents" / "prompts", tmp_path / "prompts"))
    text = (prompts / "drafting.md").read_text(encoding="utf-8")
    broken = text.replace("# Task", "# The task", 1)
    (prompts / "drafting.md").write_text(broken, encoding="utf-8")
    refused = command(home, "runs", "replay", run_id, "--prompts", str(prompts), "--as", reviewer, expected=2)
    assert "is missing its section '# Task'" in refused["error"]["message"]
    assert "You word a recommendation" in text
    changed_words = text.replace("You word a recommendation", "You phrase a recommendation", 1)
    (prompts / "drafting.md").write_text(changed_words, encoding="utf-8")
    other = command(home, "runs", "replay", run_id, "--prompts", str(prompts), "--as", reviewer, expected=1)
    assert [one["node"] for one in other["touched"]] == ["drafter"], [one["what"] for one in other["touched"]]
    touched = other["touched"][0]
    assert (touched["node"], touched["by"], touched["verdict"]) == ("drafter", "prompt", "unknown")
    assert "system parts at character" in touched["what"] and "unknown from here" in touched["what"]
    becomes = {one["node"]: one["verdict"] for one in other["steps"]}
    assert (becomes["policy_researcher"], becomes["drafter"], becomes["verify"]) == ("stays", "unknown", "unknown")
    costs = command(home, "models", "costs", "--by", "run", "--as", "selma")
    assert costs["total"]["cost_micro"] == remote["budget"]["spent"]["cost_micro"] > 0

    with sqlite3.connect(home / "casewright.db") as database:
        changed = database.execute(
            "UPDATE model_contents SET body = substr(body, 1, 40) WHERE address = "
            "(SELECT address FROM model_exchanges WHERE run_id = ? LIMIT 1)",
            (run_id,),
        )
        assert changed.rowcount == 1
    database.close()
    broken = command(home, "runs", "replay", run_id, "--as", reviewer, expected=1)
    refused = [call for call in broken["calls"] if call["verdict"] == "missing"]
    assert len(refused) == 1 and re.search("is not what was written there", refused[0]["where"])
    assert broken["whole"]["same"] is False and "is not what was written there" in broken["whole"]["unknown"]
