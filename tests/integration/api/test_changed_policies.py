"""Policies that change while the API serves: the next request goes by the new ones, what is broken changes nothing."""

from pathlib import Path

import pytest

from tests.support.api import problem, serving
from tests.support.installation import opened

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(180)]  # the first one makes and reviews an installation
RULE = Path("casewright", "access", "closing.rego")
CLOSED = """package casewright.access

import future.keywords.not
import rego.v1

# METADATA
# title: Closed
# description: Lists of runs are closed for a moment
deny contains {"code": "closed", "message": "closed for a moment"} if input.tool.name == "list_runs"
"""


@pytest.mark.proves("D7")
async def test_a_changed_policy_decides_on_the_next_request(home: Path, own_policies: Path) -> None:
    async with opened(home, own_policies) as world, serving(world) as api:
        before = await api.get("/v1/runs")
        assert before.status_code == 200
        (own_policies / RULE).write_text(CLOSED, encoding="utf-8")
        closed = await api.get("/v1/runs")
        problem(closed, 403, "denied")
        (decided,) = await api.decisions(closed)
        (earlier,) = await api.decisions(before)
        assert decided.body["policy_revision"] != earlier.body["policy_revision"]
        (own_policies / RULE).write_text(CLOSED.replace("if input", "if { input"), encoding="utf-8")
        problem(await api.get("/v1/runs"), 403, "denied")
        (own_policies / RULE).unlink()
        assert (await api.get("/v1/runs")).status_code == 200
        changes = [event.kind for event in await world.events(run_id="", tenant="")]
        assert changes.count("policy.loaded") == 2
        assert changes.count("policy.refused") == 1
