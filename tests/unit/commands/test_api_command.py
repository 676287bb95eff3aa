"""`casewright api` and `casewright token orchestrator`: what they refuse, and what they cost the other commands."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from casewright.config import Settings, app_root
from casewright.errors import InputError
from commands.api import refuse_local_people_elsewhere
from commands.worker_processes import WorkerProcesses
from tests.support.installation import World, process_environment
from tests.support.issuers import Issuer
from tests.unit.commands.conftest import Casewright


@pytest.mark.proves("I2")
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "cases.example", "", "127.0.0.1.evil.example"])
def test_local_identities_are_not_served_to_other_machines(alone: Casewright, tmp_path: Path, host: str) -> None:
    refused = alone("api", "--host", host, "--home", str(tmp_path / "none"), "--json")
    assert refused.code == 2
    assert repr(host) in refused.refusal
    assert "CASEWRIGHT_IDENTITY=oidc" in refused.refusal


def test_on_this_machine_or_with_an_issuer_any_address_may_be_listened_on(world: World, tmp_path: Path) -> None:
    here = {host: is_refused(world.services.settings, host) for host in ("127.0.0.1", "localhost", "::1", "127.9.9.9")}
    assert here == dict.fromkeys(here, False)
    assert is_refused(world.services.settings, "0.0.0.0")
    folder = tmp_path / "issuer"
    folder.mkdir()
    assert not is_refused(Issuer(folder).services(world.home).settings, "0.0.0.0")


def is_refused(settings: Settings, host: str) -> bool:
    """Whether the API does not listen on this address."""
    try:
        refuse_local_people_elsewhere(settings, host)
    except InputError:
        return True
    return False


def test_a_folder_that_is_not_set_up_stops_the_start(alone: Casewright, tmp_path: Path) -> None:
    refused = alone("api", "--home", str(tmp_path / "empty"), "--json")
    assert refused.code == 1
    assert "casewright init" in refused.refusal


def test_a_token_for_the_api_names_no_case(alone: Casewright, home: Path) -> None:
    line = ("token", "orchestrator", "--as", "rosa", "--home", str(home), "--json")
    made = alone(*line).document
    assert (made["server"], made["identity"], made["case_id"]) == ("orchestrator", "rosa", "")
    refused = alone(*line, "--case", "HL-2026-0001")
    assert refused.code == 2
    assert "names no case" in refused.refusal


@pytest.mark.thorough
def test_no_other_command_loads_what_only_the_api_needs(tmp_path: Path) -> None:
    program = (
        "import importlib, json, sys\n"
        "from commands.main import COMMANDS, build\n"
        "for name in COMMANDS: build(name)\n"
        "heavy = ('fastapi', 'limits')\n"
        "print(json.dumps([name for name in heavy if name in sys.modules]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=process_environment(tmp_path),
        cwd=app_root(),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert json.loads(done.stdout) == [], done.stderr


@pytest.mark.thorough
@pytest.mark.proves("E4")
async def test_a_worker_that_ends_is_begun_again_and_all_end_together(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    program = (
        "import os, pathlib, sys, time\n"
        f"path = pathlib.Path({str(begun)!r})\n"
        "first = not path.exists()\n"
        "with path.open('a') as file: file.write('x')\n"
        "if first: sys.exit(3)\n"
        "sys.stdin.read()\n"
    )
    async with WorkerProcesses(tmp_path, 1, [sys.executable, "-c", program]) as workers:
        for _ in range(2_000):
            if begun.exists() and len(begun.read_text()) == 2 and workers.process_ids:
                break
            await asyncio.sleep(0.01)
        (process_id,) = workers.process_ids
    assert begun.read_text() == "xx"
    assert not workers.process_ids
    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)
