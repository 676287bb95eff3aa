"""Releases in real processes: an API that follows a switch, and deaths between any two steps."""

import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from casewright.releases.following import folder_of
from casewright.services import Services
from graphs.versions import versions_under
from tests.support.api_process import api_process, waited_for
from tests.support.installation import CHECKOUT, process_environment
from tests.support.releasing import files, over, promoted, released, stricter_policies

pytestmark = pytest.mark.thorough
SECONDS = 100
KILLED = 137
DYING = """
import os, sys
from pathlib import Path
sys.path.insert(0, {checkout!r})
home, die_at, seen = {home!r}, int({die_at!r}), [0]
from tests.acceptance.test_releases import switched_twice
from tests.support.releasing import over
def touched(event, arguments):
    if event in ("open", "os.rename", "os.mkdir", "sqlite3.connect") and home in str(arguments[0]):
        seen[0] += 1
        if seen[0] == die_at:
            os._exit({killed})
sys.addaudithook(touched)
over(Path(home), switched_twice)
print(seen[0])
"""


async def switched_twice(services: Services) -> None:
    """Make a second release beside the first and put it in force."""
    stricter = services.settings.home / "stricter"
    second = await released(services, files(services, policies=stricter))
    await promoted(services, second.release_id)
    services.release.current()


@pytest.mark.timeout(240)
@pytest.mark.proves("H3")
def test_a_running_api_and_its_worker_follow_a_promote_and_a_rollback(home: Path) -> None:
    async def both(services: Services) -> tuple[str, str]:
        stricter = files(services, policies=stricter_policies(home / "stricter"))
        return (await released(services)).release_id, (await released(services, stricter)).release_id

    first, second = over(home, both)
    with api_process(home) as api, api.client() as rosa:

        def active() -> str:
            return str(rosa.get("/v1/releases").json()["active"])

        def reviewed() -> dict[str, Any]:
            begun = rosa.post("/v1/reviews", json={"case_id": "HL-2026-0001", "fresh": True}).json()
            path = f"/v1/runs/{begun['run_id']}"
            run = waited_for(lambda: run if (run := rosa.get(path).json())["report"] else None)
            return dict(run)

        assert active() == ""
        for name in (first, second, first):
            over(home, partial(promoted, release_id=name))
            run = reviewed()
            assert (active(), run["pins"]["release"], run["report"]["release"]) == (name, name, name)
        assert api.process.poll() is None


def _died(home: Path, die_at: int) -> tuple[int, int]:
    """Make and promote in a process that dies at its so manieth touch of the data folder; its code and its touches."""
    script = DYING.format(checkout=str(CHECKOUT), home=str(home), die_at=die_at, killed=KILLED)
    line = [sys.executable, "-c", script]
    done = subprocess.run(
        line, cwd=CHECKOUT, env=process_environment(home), capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode in (0, KILLED), done.stderr
    return done.returncode, int(done.stdout or 0)


@pytest.mark.timeout(280)
@pytest.mark.proves("H3")
def test_a_death_between_any_two_steps_leaves_the_old_release_or_the_new_one(home: Path, tmp_path: Path) -> None:
    async def first_in_force(services: Services) -> str:
        release = await released(services)
        await promoted(services, release.release_id)
        services.release.current()
        return release.release_id

    stricter_policies(home / "stricter")
    first = over(home, first_in_force)
    code, touches = _died(Path(shutil.copytree(home, tmp_path / "whole")), 0)
    assert code == 0 and touches > 20
    seen: set[str] = set()
    places = sorted({1, touches // 4, touches // 2, touches - touches // 4, touches - 1, touches})
    for number, die_at in enumerate(places):
        copy = Path(shutil.copytree(home, tmp_path / f"copy-{number}"))
        assert _died(copy, die_at)[0] == KILLED
        seen.add(over(copy, _whole))
        over(copy, switched_twice_again)
        assert over(copy, _whole) != first
    assert first in seen and len(seen) == 2


async def switched_twice_again(services: Services) -> None:
    """The same once more after a death: what is there already is no hindrance."""
    second = await released(services, files(services, policies=services.settings.home / "stricter"))
    if services.release.move().active != second.release_id:
        await promoted(services, second.release_id)


async def _whole(services: Services) -> str:
    """The release in force, if everything of it is in force and the audit is intact."""
    found = services.release.current()
    release = await services.releases.get(found.release_id)
    assert versions_under(services, found) == release.manifest.versions
    assert services.engine.revision == release.manifest.versions.policy
    assert folder_of(services.settings, found.release_id) == found.policies.parent
    assert (await services.audit.verify()).ok
    return found.release_id
