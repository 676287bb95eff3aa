"""A data folder and policies for the guarded fixture, made in a folder of its own."""

import subprocess
import sys
from pathlib import Path

from tests.conformance.guarded import prepared_policies
from tests.support.installation import CHECKOUT, POLICIES, process_environment

INIT_SECONDS = 120


def prepared(folder: Path) -> tuple[Path, Path]:
    """The data folder and the policies."""
    home = folder / "home"
    command = [sys.executable, "-m", "casewright.launch", "init", "--home", str(home), "--json"]
    subprocess.run(
        command, env=process_environment(home), cwd=CHECKOUT, capture_output=True, timeout=INIT_SECONDS, check=True
    )
    return home, prepared_policies(POLICIES, folder)
