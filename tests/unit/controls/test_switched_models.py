"""Which switches stop a model call: its name, its provider, its agent, its tenant, everything; read anew each time."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from casewright.audit.standing import standing_of
from casewright.controls.models import SwitchedModels
from casewright.controls.reviewed import DATA_FILE
from casewright.errors import DeniedError, PolicyError, StorageError
from casewright.models.layer import CallContext
from tests.support.installation import POLICIES
from tests.unit.audit.kernel import TENANT, Kernel, kernel, person
from tests.unit.audit.test_audit_log import change
from tests.unit.controls.test_control_store import REVIEWED, pull, store

CONTEXT = CallContext(run_id="run-1", case_id="c-1", tenant=TENANT, agent="drafter")
MODEL = "anthropic/claude-x"


def permission(world: Kernel, policies: Path = POLICIES) -> SwitchedModels:
    return SwitchedModels(standing_of(world.database), policies)


async def stopped(world: Kernel, tenant: str, model: str) -> bool:
    """Whether the switches stop a call of the model for the tenant."""
    try:
        await permission(world).check(replace(CONTEXT, tenant=tenant), model)
    except DeniedError:
        return True
    return False


@pytest.mark.proves("D6")
@pytest.mark.parametrize(
    ("path", "value", "back", "told"),
    [
        ("switches.models", f"+{MODEL}", f"-{MODEL}", f"the model {MODEL!r} is switched off"),
        ("switches.models", "+anthropic", "-anthropic", f"the model {MODEL!r} is switched off"),
        ("switches.agents", "+drafter", "-drafter", "the agent 'drafter' is switched off"),
        ("switches.tenants", f"+{TENANT}", f"-{TENANT}", f"the tenant {TENANT!r} is switched off"),
        ("switches.everything", "true", "false", "everything is switched off"),
    ],
)
async def test_a_switch_refuses_the_next_call_and_its_undoing_permits_it(
    tmp_path: Path, path: str, value: str, back: str, told: str
) -> None:
    async with kernel(tmp_path) as world:
        asked = permission(world)
        await asked.check(CONTEXT, MODEL)
        await pull(world, path, value)
        with pytest.raises(DeniedError, match=told) as caught:
            await asked.check(CONTEXT, MODEL)
        assert caught.value.code == "switched_off"
        await pull(world, path, back)
        await asked.check(CONTEXT, MODEL)


@pytest.mark.proves("D6")
@pytest.mark.parametrize("entry", ["anthropic/claude", "anthropic/claude-x-2", "anthropic/Claude-x", "offline/x"])
async def test_a_switch_stops_the_model_of_exactly_its_name_and_no_other(tmp_path: Path, entry: str) -> None:
    async with kernel(tmp_path) as world:
        await pull(world, "switches.models", f"+{entry}")
        assert await stopped(world, TENANT, entry)
        assert not await stopped(world, TENANT, MODEL)


@pytest.mark.proves("D6")
async def test_another_tenants_switches_do_not_stop_a_model(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        lena = person("lena", "supervisor", tenant="millbrook")
        for path, value in (("switches.everything", "true"), ("switches.models", "+anthropic")):
            await store(world).set(path, value, principal=lena, why="theirs", reviewed=REVIEWED)
        assert await stopped(world, "millbrook", MODEL)
        assert not await stopped(world, TENANT, MODEL)


@pytest.mark.proves("D6")
@pytest.mark.parametrize("switches", [{"models": [MODEL]}, {"everything": True}, {"tenants": [TENANT]}])
async def test_a_reviewed_switch_stops_a_model_whatever_the_live_controls_say(
    tmp_path: Path, switches: dict[str, Any]
) -> None:
    async with kernel(tmp_path) as world:
        policies = shutil.copytree(POLICIES, tmp_path / "policies")
        asked = permission(world, policies)
        await asked.check(CONTEXT, MODEL)
        data = json.loads((policies / DATA_FILE).read_text())
        data["switches"] |= switches
        (policies / DATA_FILE).write_text(json.dumps(data))
        with pytest.raises(DeniedError, match="switched off"):
            await asked.check(CONTEXT, MODEL)


@pytest.mark.proves("D6", "D4")
async def test_switches_that_cannot_be_read_permit_no_model(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        with pytest.raises(PolicyError):
            await permission(world, tmp_path).check(CONTEXT, MODEL)
        await pull(world, "switches.models", "+offline")
        change(world.path, "UPDATE policy_data SET document = '{'")
        with pytest.raises(StorageError, match="restore the database"):
            await permission(world).check(CONTEXT, MODEL)
