"""`casewright corpus ingest --watch`: a process that ingests a folder again whenever a file in it changes."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import pytest

from tests.support.installation import interruptible, process_environment
from tests.unit.commands.test_corpus_upkeep import write

pytestmark = pytest.mark.thorough


def next_report(output: IO[str]) -> dict[str, Any]:
    """The next JSON document on the output; the test's own time limit bounds the wait."""
    lines: list[str] = []
    for line in output:
        lines.append(line)
        if line.rstrip() == "}":
            return json.loads("".join(lines))
    raise AssertionError(f"the process ended: {''.join(lines)}")


@pytest.mark.proves("A1")
def test_a_watched_folder_is_ingested_again_on_every_change(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    first = write(folder, "2024", 10)
    line = ("corpus", "ingest", str(folder), "--watch", "--prune", "--as", "selma", "--json")
    process = subprocess.Popen(
        [sys.executable, "-m", "casewright.launch", *line],
        env=process_environment(home, COLUMNS="80"),
        preexec_fn=interruptible,
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert next_report(process.stdout)["ingested"] == 1
        write(folder, "2025", 15)
        assert next_report(process.stdout)["ingested"] == 1
        first.unlink()
        assert next_report(process.stdout)["withdrawn"] == ["hl-lobster 2024"]
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode != 0
    finally:
        process.kill()
        process.communicate()
