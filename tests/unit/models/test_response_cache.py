"""Answers that are given again: for exactly the same question of the same tenant, for a while, and always checked."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from casewright.models.accounting import CallRecord
from casewright.models.gateway import Gateway
from casewright.models.offline import OfflineProvider
from casewright.models.provider import ModelReply, NoReply, Usage
from casewright.models.selection import SelectInput, SelectOutput
from casewright.models.tasks import RESEARCH_SELECT
from tests.support.counting_provider import ScriptedModel
from tests.support.model_requests import VALUE
from tests.support.recorded_calls import HOUR_SECONDS, PROMPTS, Desk, call_context

GOOD = ModelReply(
    text='{"clause_ids": ["x"], "why": "Harrower"}', model="m-1", usage=Usage(input_tokens=9), request_id="req-1"
)
OTHER = VALUE.model_copy(update={"topic": "another"})
TASK = replace(RESEARCH_SELECT, deterministic=True)


def nothing_holds(value: SelectInput, output: SelectOutput) -> tuple[str, ...]:
    return ("clause_ids: not this one any more",) if "x" in output.clause_ids else ()


async def run(gateway: Gateway, task: Any = TASK, *, value: SelectInput = VALUE, tenant: str = "t-1") -> CallRecord:
    return (await gateway.run(task, value, context=call_context(tenant=tenant))).record


@pytest.mark.proves("F6")
async def test_the_same_question_is_answered_again_without_a_model_and_costs_nothing(desk: Desk) -> None:
    model = ScriptedModel(GOOD)
    gateway = desk.gateway(model, answers=True)
    first, second = await run(gateway), await run(gateway)
    assert (first.cache, first.calls, second.cache, second.calls) == ("miss", 1, "hit", 0)
    assert (second.cost_micro, second.priced, second.model, second.output_sha256) == (
        0,
        True,
        "m-1",
        first.output_sha256,
    )
    assert model.done and [one.verdict for one in await desk.replay()] == ["same", "same"]
    stored = b"".join(path.read_bytes() for path in desk.folder.glob("casewright.db*"))
    assert b"Credit is due" not in stored, "the input of the call is sealed"


@pytest.mark.proves("F6")
async def test_nothing_is_given_again_to_another_tenant_question_task_version_or_model(desk: Desk) -> None:
    gateway = desk.gateway(ScriptedModel(*[GOOD] * 4), answers=True)
    assert (await run(gateway)).cache == "miss"
    assert (await run(gateway, tenant="t-2")).cache == "miss"
    assert (await run(gateway, value=OTHER)).cache == "miss"
    assert (await run(gateway, replace(TASK, version=2))).cache == "miss"
    other = desk.gateway(ScriptedModel(replace(GOOD, model="m-2"), model="m-2"), answers=True)
    assert (await run(other)).cache == "miss"
    assert (await run(gateway)).cache == "hit"


@pytest.mark.proves("F6", "F7")
async def test_nothing_is_given_again_under_other_policies_or_another_prompt_of_any_kind(
    desk: Desk, tmp_path: Path
) -> None:
    assert (await run(desk.gateway(ScriptedModel(GOOD), answers=True))).cache == "miss"
    desk.policies.append("revision-2")
    assert (await run(desk.gateway(ScriptedModel(GOOD), answers=True))).cache == "miss"
    changed = Path(shutil.copytree(PROMPTS, tmp_path / "prompts"))
    with (changed / "placeholders.md").open("a", encoding="utf-8") as notice:
        notice.write("Copy them.\n")
    assert (await run(desk.gateway(ScriptedModel(GOOD), answers=True, prompts=changed))).cache == "miss"
    assert (await run(desk.gateway(ScriptedModel(), answers=True))).cache == "hit"


@pytest.mark.proves("F6")
async def test_a_task_that_is_not_declared_deterministic_is_always_asked(desk: Desk) -> None:
    gateway = desk.gateway(ScriptedModel(GOOD, GOOD), answers=True)
    task = replace(TASK, deterministic=False)
    assert [(await run(gateway, task)).cache for _ in range(2)] == ["off", "off"]
    assert await desk.rows("SELECT count(*) FROM model_answers") == [(0,)]


@pytest.mark.proves("F6")
async def test_an_answer_of_the_last_resort_is_not_kept(desk: Desk) -> None:
    busy = NoReply(reason="the model refused", retryable=False)
    gateway = desk.gateway(ScriptedModel(busy, busy), OfflineProvider(), answers=True)
    assert [((await run(gateway)).degraded, (await run(gateway)).degraded)] == [(True, True)]
    assert await desk.rows("SELECT count(*) FROM model_answers") == [(0,)]


@pytest.mark.proves("F6")
async def test_an_answer_expires_and_what_has_expired_is_removed(desk: Desk) -> None:
    gateway = desk.gateway(ScriptedModel(GOOD, GOOD, GOOD), answers=True)
    await run(gateway)
    desk.clock.advance(seconds=HOUR_SECONDS - 1)
    assert (await run(gateway)).cache == "hit"
    desk.clock.advance(seconds=1)
    assert (await run(gateway, value=OTHER)).cache == "miss"
    assert await desk.rows("SELECT count(*) FROM model_answers") == [(1,)]
    assert (await run(gateway)).cache == "miss"


@pytest.mark.proves("F6")
async def test_a_kept_answer_that_does_not_hold_any_more_is_asked_for_anew(desk: Desk) -> None:
    fresh = replace(GOOD, text='{"clause_ids": [], "why": ""}')
    gateway = desk.gateway(ScriptedModel(GOOD, fresh), answers=True)
    await run(gateway)
    assert (await run(gateway, replace(TASK, check=nothing_holds))).cache == "miss"


@pytest.mark.thorough
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE model_answers SET answer = 'AAAA'",
        "UPDATE model_answers SET answer = substr(answer, 1, 20)",
        "UPDATE model_answers SET key = 'k'",
        "UPDATE model_answers SET tenant = 't-9'",
    ],
)
async def test_a_kept_answer_that_was_changed_is_not_there(desk: Desk, statement: str) -> None:
    gateway = desk.gateway(ScriptedModel(GOOD, GOOD), answers=True)
    await run(gateway)
    assert await desk.change(statement) == 1
    assert (await run(gateway)).cache == "miss"


async def test_an_answer_that_was_put_under_another_question_does_not_open(desk: Desk) -> None:
    gateway = desk.gateway(ScriptedModel(GOOD, GOOD, GOOD), answers=True)
    await run(gateway)
    await run(gateway, value=OTHER)
    await desk.change("UPDATE model_answers SET answer = (SELECT max(answer) FROM model_answers)")
    assert sorted([(await run(gateway)).cache, (await run(gateway, value=OTHER)).cache]) == ["hit", "miss"]
