"""Answers that are kept: taken only where they hold and the model might be asked, kept only where all was sent."""

from dataclasses import replace

import pytest

from casewright.config import app_root
from casewright.models.accounting import MemoryRecorder
from casewright.models.conduct import Conduct
from casewright.models.gateway import Gateway
from casewright.models.layer import AskedTask, CallContext
from casewright.models.offline import OfflineProvider
from casewright.models.prompts import PromptLibrary
from casewright.models.provider import Provider
from casewright.models.selection import SelectInput, SelectOutput
from casewright.models.task import Task
from casewright.models.tasks import RESEARCH_SELECT
from tests.support.model_permission import OnlyModels
from tests.support.model_requests import VALUE
from tests.support.scripted_provider import FINAL, GOOD, ScriptedProvider

CONTEXT = CallContext(run_id="run-1", case_id="c-1", tenant="t-1", agent="a")


class Shelf:
    """Answers in memory, by tenant, task, model and input."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, ...], str] = {}

    def _key(self, asked: AskedTask) -> tuple[str, ...]:
        place = (asked.context.tenant, asked.task.name, str(asked.task.version), asked.prompts_sha256)
        return (*place, asked.provider, asked.model, asked.value.model_dump_json())

    async def find(self, asked: AskedTask) -> str | None:
        return self.answers.get(self._key(asked))

    async def keep(self, asked: AskedTask, output: str) -> None:
        self.answers[self._key(asked)] = output


def gateway(shelf: Shelf, *providers: Provider, permitted: OnlyModels | None = None) -> Gateway:
    return Gateway(
        providers,
        PromptLibrary(app_root() / "agents" / "prompts"),
        MemoryRecorder(),
        permission=permitted or OnlyModels("scripted/m-1", "scripted/m-2", "offline/extractive"),
        conduct=Conduct(answers=shelf),
    )


async def ask(
    made: Gateway, task: Task[SelectInput, SelectOutput] = RESEARCH_SELECT, *, tenant: str = "t-1"
) -> tuple[str, str, int]:
    """Who answered, what the record says of the cache, and how many requests were sent."""
    record = (await made.run(task, VALUE, context=replace(CONTEXT, tenant=tenant))).record
    return record.provider, record.cache, record.calls


@pytest.mark.proves("F6")
async def test_the_same_question_is_answered_once_and_another_tenant_model_or_version_asks_anew() -> None:
    shelf, asked = Shelf(), ScriptedProvider(GOOD, GOOD, GOOD)
    made = gateway(shelf, asked)
    assert [await ask(made), await ask(made)] == [("scripted", "miss", 1), ("scripted", "hit", 0)]
    assert await ask(made, tenant="t-2") == ("scripted", "miss", 1)
    assert await ask(made, replace(RESEARCH_SELECT, version=99)) == ("scripted", "miss", 1)
    other = gateway(shelf, ScriptedProvider(replace(GOOD, model="m-2"), model="m-2"))
    assert await ask(other) == ("scripted", "miss", 1)
    assert asked.spent


@pytest.mark.proves("F6")
async def test_what_was_kept_is_not_taken_where_it_no_longer_holds_or_is_of_another_shape() -> None:
    for stale in ('{"clause_ids": ["gone"], "why": ""}', '{"clause_ids": "x"}', ""):
        shelf, made = Shelf(), ScriptedProvider(GOOD, GOOD)
        await ask(gateway(shelf, made))
        shelf.answers = dict.fromkeys(shelf.answers, stale)
        assert await ask(gateway(shelf, made)) == ("scripted", "miss", 1)
        assert made.spent


@pytest.mark.proves("F6")
async def test_the_answer_of_a_model_that_is_switched_off_is_not_taken_either() -> None:
    shelf = Shelf()
    await ask(gateway(shelf, ScriptedProvider(GOOD)))
    only_offline = gateway(shelf, ScriptedProvider(), OfflineProvider(), permitted=OnlyModels("offline/extractive"))
    assert await ask(only_offline) == ("offline", "off", 1)


@pytest.mark.proves("F6")
async def test_only_valid_answers_of_deterministic_tasks_by_models_that_were_sent_everything_are_kept() -> None:
    shelf = Shelf()
    undetermined = replace(RESEARCH_SELECT, deterministic=False)
    assert await ask(gateway(shelf, ScriptedProvider(GOOD)), undetermined) == ("scripted", "off", 1)
    assert await ask(gateway(shelf, ScriptedProvider(FINAL), OfflineProvider())) == ("offline", "off", 2)
    two = VALUE.model_copy(update={"clauses": (*VALUE.clauses, VALUE.clauses[0].model_copy(update={"score": 0.1}))})
    whole = ScriptedProvider(GOOD)
    await gateway(Shelf(), whole).run(RESEARCH_SELECT, two, context=CONTEXT)
    sent = len(whole.requests[0].system) + len(whole.requests[0].turns[0].text)
    cut = replace(RESEARCH_SELECT, max_input_characters=sent - 1)
    result = await gateway(shelf, ScriptedProvider(GOOD)).run(cut, two, context=CONTEXT)
    assert result.record.left_out == 1 and shelf.answers == {}
