"""The store of live controls: append-only, with its audit event or not at all, in force for every reader."""

import asyncio
from pathlib import Path

import pytest

from casewright.audit.standing import standing_of
from casewright.contracts.controls import Controls
from casewright.controls.reviewed import DATA_FILE, ReviewedData
from casewright.controls.store import ControlStore
from casewright.errors import InputError, PolicyError, StorageError
from tests.support.installation import POLICIES
from tests.unit.audit.kernel import SELMA, TENANT, Kernel, kernel, person
from tests.unit.audit.test_audit_log import change

REVIEWED = ReviewedData.read(POLICIES)


def store(world: Kernel) -> ControlStore:
    return ControlStore(world.database, world.audit, world.clock)


async def pull(world: Kernel, path: str = "switches.everything", value: str = "true", why: str = "incident 12") -> None:
    await store(world).set(path, value, principal=SELMA, why=why, reviewed=REVIEWED)


@pytest.mark.proves("D6", "G1")
async def test_a_change_is_kept_and_audited_with_who_why_old_and_new(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        assert await store(world).current(TENANT) == Controls()
        await pull(world)
        await pull(world, "switches.agents", "+drafter", "it loops")
        current = await store(world).current(TENANT)
        assert (current.version, current.switches.everything, current.switches.agents) == (2, True, ("drafter",))
        events = [event for event in await world.audit.events(tenant=TENANT) if event.kind == "policy_data.changed"]
        assert [(event.subject, event.body) for event in events] == [
            (
                "selma",
                {"path": "switches.everything", "old": False, "new": True, "why": "incident 12", "version": 1},
            ),
            ("selma", {"path": "switches.agents", "old": [], "new": ["drafter"], "why": "it loops", "version": 2}),
        ]
        newest, first = await store(world).history(TENANT)
        assert (newest.version, newest.path, newest.value, newest.why) == (
            2,
            "switches.agents",
            '["drafter"]',
            "it loops",
        )
        assert (first.subject, first.at_ns) == ("selma", world.clock.now_ns())


@pytest.mark.proves("D6")
async def test_every_reader_has_a_change_with_the_next_read(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        second = Kernel.over(world.path, world.signer, world.clock)
        readers = [standing_of(world.database), standing_of(second.database)]
        assert [(await reader.read(TENANT, "run-1")).controls for reader in readers] == [Controls()] * 2
        await pull(world)
        assert [(await reader.read(TENANT, "run-1")).controls.switches.everything for reader in readers] == [True, True]
        await second.database.close()


@pytest.mark.proves("D6", "G1")
async def test_a_change_that_cannot_be_audited_is_not_made(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        await pull(world)
        change(world.path, f"UPDATE audit_head SET hash = '{'0' * 64}'")
        with pytest.raises(StorageError):
            await pull(world, value="false")
        assert (await store(world).current(TENANT)).switches.everything is True


@pytest.mark.proves("D6")
async def test_controls_of_two_tenants_do_not_disturb_each_other(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        mia = person("mia", "supervisor", tenant="millbrook")
        reader = standing_of(world.database)
        await pull(world)
        assert (
            await store(world).current("millbrook") == (await reader.read("millbrook", "run-1")).controls == Controls()
        )
        await store(world).set("switches.agents", "+intake", principal=mia, why="slow", reviewed=REVIEWED)
        await pull(world, "switches.agents", "+drafter")
        for tenant, version, everything, agents in (
            (TENANT, 3, True, ("drafter",)),
            ("millbrook", 2, False, ("intake",)),
        ):
            found = (await reader.read(tenant, "run-1")).controls
            assert found == await store(world).current(tenant)
            assert (found.version, found.switches.everything, found.switches.agents) == (version, everything, agents)
        assert [record.version for record in await store(world).history(TENANT)] == [3, 1]
        assert [record.subject for record in await store(world).history("millbrook")] == ["mia"]
        told = [event.kind for event in await world.audit.events(tenant="millbrook")]
        assert told == ["policy_data.changed"]


@pytest.mark.proves("D6")
async def test_changes_at_once_in_two_processes_are_all_kept_in_one_order(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        others = [Kernel.over(world.path, world.signer, world.clock) for _ in range(2)]
        agents = sorted(REVIEWED.agents)[:6]
        await asyncio.gather(
            *(pull(others[number % 2], "switches.agents", f"+{agent}") for number, agent in enumerate(agents))
        )
        for other in others:
            await other.database.close()
        current = await store(world).current(TENANT)
        assert (current.version, list(current.switches.agents)) == (len(agents), agents)


@pytest.mark.parametrize("why", ["", " \n ", "x" * 1_001])
async def test_a_change_needs_a_reason(tmp_path: Path, why: str) -> None:
    async with kernel(tmp_path) as world:
        with pytest.raises(InputError, match="reason"):
            await pull(world, why=why)
        assert await store(world).history(TENANT) == ()


@pytest.mark.proves("D6")
@pytest.mark.parametrize("document", ["", "{}x", '{"version": 7}', '{"version": 1, "more": 1}'])
async def test_controls_that_cannot_be_read_are_an_error_and_no_default(tmp_path: Path, document: str) -> None:
    async with kernel(tmp_path) as world:
        await pull(world)
        change(world.path, f"UPDATE policy_data SET document = '{document}'")
        with pytest.raises(StorageError, match="restore the database"):
            await store(world).current(TENANT)
        with pytest.raises(StorageError):
            await pull(world, value="false")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"tools": {}, "agents": {}, "limits": {"agent": {"tool_calls": true}}}']
)
def test_policy_data_without_ceilings_allows_no_control(tmp_path: Path, text: str) -> None:
    (tmp_path / DATA_FILE).parent.mkdir(parents=True)
    (tmp_path / DATA_FILE).write_text(text)
    with pytest.raises(PolicyError, match="policy check"):
        ReviewedData.read(tmp_path)
