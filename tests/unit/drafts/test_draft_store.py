"""The draft store and the run's retrievals: versions that stay, and nobody else's."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from casewright.contracts.recommendation import Recommendation
from casewright.drafts.diff import unified
from casewright.errors import DeniedError, InputError, NotFoundError, StorageError
from tests.unit.audit.kernel import MARC, RULE, SELMA, TENANT, Kernel, caller, credit, kernel
from tests.unit.audit.test_audit_log import change
from tests.unit.drafts.library import cite, finding, in_force, recommendation


async def differences(world: Kernel, draft_id: str, older: int, newer: int) -> str:
    before, after = [await world.drafts.get(TENANT, draft_id, one) for one in (older, newer)]
    return unified(before, after)


def draft(amount_minor: int = 12550, **changes: Any) -> Recommendation:
    clause = in_force()[0]
    made = recommendation(finding(clause.text, cite(clause), facts={"case/received_on": "2026-03-04"}), **changes)
    return made.model_copy(update={"action": made.action.model_copy(update={"amount_minor": amount_minor})})


@pytest.mark.proves("C1", "C5")
async def test_an_edit_is_a_new_version_with_its_own_author_and_digest(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        first = await world.drafts.save(draft(), caller=caller(agent="drafter"), draft_id=None)
        second = await world.drafts.save(draft(999), caller=caller(SELMA), draft_id=first.draft_id)
        assert (first.version, first.author, first.agent) == (1, "rosa", "drafter")
        assert (second.version, second.author, second.agent) == (2, "selma", "")
        assert first.digest != second.digest
        assert await world.drafts.get(TENANT, first.draft_id) == second
        assert await world.drafts.get(TENANT, first.draft_id, 1) == first
        assert await world.drafts.list(TENANT, "HL-1") == (first, second)
        saved = [event.body for event in await world.audit.events(tenant=TENANT) if event.kind == "draft.saved"]
        assert [(body["version"], body["digest"]) for body in saved] == [(1, first.digest), (2, second.digest)]


@pytest.mark.proves("C5")
async def test_the_difference_of_two_versions_can_be_read(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        first = await world.drafts.save(draft(), caller=caller(), draft_id=None)
        changed = draft(999, open_questions=("Where was the card?",))
        await world.drafts.save(changed, caller=caller(), draft_id=first.draft_id)
        lines = (await differences(world, first.draft_id, 1, 2)).splitlines()
        assert [line for line in lines if line.startswith(("+", "-"))] == [
            f"--- {first.draft_id} version 1",
            f"+++ {first.draft_id} version 2",
            "-amount: 12550 minor units of USD",
            "+amount: 999 minor units of USD",
            "+question: Where was the card?",
        ]
        assert await differences(world, first.draft_id, 2, 2) == ""


@pytest.mark.proves("C3", "C5")
async def test_an_approval_of_one_version_is_no_approval_of_the_next(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        first = await world.drafts.save(draft(), caller=caller(), draft_id=None)
        second = await world.drafts.save(draft(), caller=caller(), draft_id=first.draft_id)
        calls = [
            credit(arguments={"draft_id": one.draft_id, "draft_version": one.version, "draft_digest": one.digest})
            for one in (first, second)
        ]
        asked = await world.ledger.request(calls[0], RULE, caller=caller())
        await world.ledger.vote(asked.approval_id, voter=SELMA, approve=True, note="")
        with pytest.raises(DeniedError):
            await world.outbox.execute(calls[1], caller=caller())
        assert await world.effects() == []


async def test_a_draft_of_another_tenant_or_case_is_not_there(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        saved = await world.drafts.save(draft(), caller=caller(), draft_id=None)
        other = recommendation(*draft().summary, case_id="HL-2")
        for made, by in (
            (draft(), caller(MARC)),
            (other, caller(case_id="HL-2")),
            (other, caller()),
            (draft(), caller(case_id="")),
        ):
            with pytest.raises(NotFoundError):
                await world.drafts.save(made, caller=by, draft_id=saved.draft_id)
        assert await world.drafts.find("millbrook", saved.draft_id) is None
        assert await world.drafts.list("millbrook", "HL-1") == ()
        assert await world.drafts.find(TENANT, saved.draft_id, 2) is None
        with pytest.raises(NotFoundError, match="there is no draft"):
            await world.drafts.get("millbrook", saved.draft_id)


async def test_two_edits_at_once_become_two_versions(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        first = await world.drafts.save(draft(), caller=caller(), draft_id=None)
        edits = (world.drafts.save(draft(n), caller=caller(), draft_id=first.draft_id) for n in range(4))
        assert sorted(saved.version for saved in await asyncio.gather(*edits)) == [2, 3, 4, 5]


@pytest.mark.proves("C5")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE drafts SET content = replace(content, '12550', '99900')",
        "UPDATE drafts SET content = '{}'",
        "UPDATE drafts SET case_id = 'HL-2'",
    ],
)
async def test_a_draft_changed_after_it_was_saved_is_not_used(tmp_path: Path, statement: str) -> None:
    async with kernel(tmp_path) as world:
        saved = await world.drafts.save(draft(), caller=caller(), draft_id=None)
        change(world.path, statement)
        with pytest.raises(StorageError, match="changed after it was saved"):
            await world.drafts.get(TENANT, saved.draft_id)


@pytest.mark.proves("C2")
async def test_the_retrieved_set_is_of_one_run_of_one_tenant(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        pair = [("hl-a@1#1.1", "a" * 64), ("hl-a@1#1.2", "b" * 64)]
        await world.retrievals.record(TENANT, "run-1", pair, "idx-1")
        await world.retrievals.record(TENANT, "run-1", [*pair, *pair, ("hl-a@1#2", "c" * 64)], "idx-2")
        await world.retrievals.record(TENANT, "run-2", (), "idx-1")
        assert await world.retrievals.of_run(TENANT, "run-1") == {"hl-a@1#1.1", "hl-a@1#1.2", "hl-a@1#2"}
        assert await world.retrievals.of_run(TENANT, "run-2") == frozenset()
        assert await world.retrievals.of_run("millbrook", "run-1") == frozenset()
        with pytest.raises(InputError, match="belong to nobody"):
            await world.retrievals.record(TENANT, "", pair, "idx-1")
