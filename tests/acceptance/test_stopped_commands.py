"""Ctrl-C while a command starts ends with a sentence and the usual exit code, not with a traceback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from casewright.launch import STOPPED
from tests.support.installation import CHECKOUT, interruptible, process_environment

pytestmark = pytest.mark.thorough
STOPPED_AT = """
import signal, sys

class Stopping:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
            print("stopped at", name, file=sys.stderr, flush=True)
            signal.raise_signal(signal.SIGINT)
        return None

sys.meta_path.insert(0, Stopping())
from casewright.launch import main
main()
"""
"""A real signal at a certain moment: when a module is about to be imported for the first time."""


@pytest.mark.proves("E5")
@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("module", ["casewright.config", "typer", "commands.shell", "commands.review", "sqlalchemy"])
def test_a_command_that_is_stopped_while_it_starts_says_so_and_shows_no_traceback(
    tmp_path: Path, module: str, as_json: bool
) -> None:
    asked = ["review", "HL-2026-0012", "--home", str(tmp_path / "none"), *(["--json"] if as_json else [])]
    done = subprocess.run(
        [sys.executable, "-c", STOPPED_AT.format(module=module), *asked],
        env=process_environment(tmp_path),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        preexec_fn=interruptible,
    )
    assert done.stderr.splitlines() == [f"stopped at {module}", f"casewright: {STOPPED}"]
    assert done.returncode == 1
    told = json.loads(done.stdout) if as_json else done.stdout
    assert told == ({"error": {"message": STOPPED, "exit_code": 1}} if as_json else "")
