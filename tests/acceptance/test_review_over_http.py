"""The documented example: a review over HTTP with real processes, from the claim to the recorded effect."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.installation import CHECKOUT, process_environment

EXAMPLE = CHECKOUT / "docs" / "examples" / "review_over_http.py"
WAIT = 280

pytestmark = pytest.mark.thorough


@pytest.mark.timeout(WAIT + 20)
@pytest.mark.proves("E3", "G2")
def test_the_example_asks_answers_approves_and_explains_over_http(tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    done = subprocess.run(
        [sys.executable, str(EXAMPLE)],
        env=process_environment(tmp_path / "unused", TMPDIR=str(temporary)),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = [
        "it asks: Intake cannot tell",
        "rosa answers: unauthorized_transfer",
        "waiting_information: the checklist is not complete",
        "exactly this waits for supervisor",
        "so she cannot approve it",
        "selma approves: approved",
        "completed: the approved action was executed",
        "rosa answered “Unauthorized transfer”",
        "it was used, once",
        "recorded once: effect eff-",
    ]
    places = [done.stdout.find(text) for text in told]
    assert min(places) >= 0, f"not said: {[text for text, place in zip(told, places, strict=True) if place < 0]}"
    assert places[:7] == sorted(places[:7]), "the story is told in its order"
    followed = done.stdout.partition("\nwhy\n")[0]
    seqs = [int(found) for found in re.findall(r"^ +(\d+) \w+", followed, re.MULTILINE)]
    assert seqs == list(range(1, len(seqs) + 1)), "every event came once, in order, across five streams"
    assert list(temporary.iterdir()) == [], "the example ends what it began and cleans up"
    assert not (tmp_path / "unused").exists(), "it leaves CASEWRIGHT_HOME alone"
