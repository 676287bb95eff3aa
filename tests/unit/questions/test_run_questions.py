"""Questions of runs: asked once, answered once with one of their options, in the audit with who chose what."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from casewright.contracts.event import AuditEvent
from casewright.contracts.question import Option, RunQuestion
from casewright.errors import ConflictError, InputError, NotFoundError, StorageError
from casewright.questions.store import MAX_OPTIONS, RunQuestions
from casewright.storage.run_tables import run_questions, runs
from tests.unit.audit.kernel import MARC, ROSA, SELMA, START_NS, TENANT, Kernel, kernel

YES_OR_NO = (Option(value="continue", text="Go on once more"), Option(value="stop", text="Stop here"))


def question(question_id: str = "q-1", **changes: Any) -> RunQuestion:
    fields: dict[str, Any] = {
        "tenant": TENANT,
        "run_id": "run-1",
        "case_id": "HL-1",
        "kind": "loop",
        "text": "The research was repeated and found nothing new. What now?",
        "options": YES_OR_NO,
        "detail": {"trail": ["policy_researcher", "policy_researcher"]},
        "state": "open",
        "created_ns": 0,
        "answer": "",
        "answered_by": "",
        "answered_ns": 0,
    }
    return RunQuestion(question_id=question_id, **(fields | changes))


@asynccontextmanager
async def world(tmp_path: Path) -> AsyncGenerator[tuple[Kernel, RunQuestions], None]:
    """Real stores in which two runs stand, and the store of questions over them."""
    async with kernel(tmp_path) as found:
        async with found.database.write() as connection:
            for run_id in ("run-1", "run-2"):
                row = {"run_id": run_id, "tenant": TENANT, "case_id": "HL-1", "kind": "review", "subject": "rosa"}
                row |= {"status": "running", "created_ns": 1, "updated_ns": 1, "report": ""}
                await connection.execute(insert(runs).values(row))
        yield found, RunQuestions(found.database, found.audit, found.clock)


async def asked(found: Kernel, questions: RunQuestions, one: RunQuestion) -> RunQuestion:
    async with found.database.write() as connection:
        return await questions.ask(one, connection=connection)


async def events(found: Kernel) -> list[AuditEvent]:
    return [event for event in await found.audit.events(tenant=TENANT) if event.kind.startswith("question.")]


@pytest.mark.proves("E3", "E6")
async def test_a_question_is_kept_and_audited_without_its_text(tmp_path: Path) -> None:
    async with world(tmp_path) as (found, questions):
        kept = await asked(found, questions, question())
        assert kept == question(created_ns=START_NS)
        assert await questions.get(TENANT, "q-1") == kept
        assert await questions.of_run(TENANT, "run-1") == (kept,)
        (event,) = await events(found)
        assert (event.kind, event.subject, event.run_id, event.case_id) == ("question.asked", "", "run-1", "HL-1")
        assert (event.body["kind"], event.body["options"]) == ("loop", ["continue", "stop"])
        assert "research" not in str(event.body)


async def test_asking_the_same_again_gives_the_first_one_back_also_when_it_was_answered(tmp_path: Path) -> None:
    async with world(tmp_path) as (found, questions):
        first = await asked(found, questions, question())
        found.clock.advance(seconds=60)
        assert await asked(found, questions, question()) == first
        answered = await questions.answer(TENANT, "run-1", "q-1", "stop", by=ROSA)
        assert await asked(found, questions, question()) == answered
        assert [event.kind for event in await events(found)] == ["question.asked", "question.answered"]


OTHERWISE: tuple[dict[str, Any], ...] = (
    {"text": "Shall everything be paid?"},
    {"options": (*YES_OR_NO, Option(value="pay", text="Pay"))},
    {"run_id": "run-2"},
    {"tenant": "millbrook"},
    {"detail": {}},
)


async def test_another_question_under_the_same_id_is_refused(tmp_path: Path) -> None:
    async with world(tmp_path) as (found, questions):
        kept = await asked(found, questions, question())
        for changes in OTHERWISE:
            with pytest.raises(ConflictError, match="another question 'q-1'"):
                await asked(found, questions, question(**changes))
        assert await questions.get(TENANT, "q-1") == kept
        assert len(await events(found)) == 1


NOT_TO_BE_ASKED: tuple[dict[str, Any], ...] = (
    {"options": ()},
    {"options": YES_OR_NO[:1]},
    {"options": (*YES_OR_NO, Option(value="stop", text="Really stop"))},
    {"options": (*YES_OR_NO, Option(value="", text="Nothing"))},
    {"options": tuple(Option(value=f"o{number}", text="One") for number in range(MAX_OPTIONS + 1))},
    {"state": "answered"},
    {"answer": "stop"},
)


async def test_what_cannot_be_asked_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as (found, questions):
        for changes in NOT_TO_BE_ASKED:
            with pytest.raises(InputError, match="'q-1'"):
                await asked(found, questions, question(**changes))
        assert await questions.of_run(TENANT, "run-1") == ()
        assert await events(found) == []


@pytest.mark.proves("E3", "E6")
async def test_an_answer_is_committed_with_who_gave_it(tmp_path: Path) -> None:
    async with world(tmp_path) as (found, questions):
        await asked(found, questions, question())
        found.clock.advance(seconds=60)
        answered = await questions.answer(TENANT, "run-1", "q-1", "continue", by=SELMA)
        assert (answered.state, answered.answer, answered.answered_by) == ("answered", "continue", "selma")
        assert answered.answered_ns == found.clock.now_ns() > answered.created_ns
        assert await questions.get(TENANT, "q-1") == answered
        event = (await events(found))[-1]
        assert (event.kind, event.subject, event.run_id) == ("question.answered", "selma", "run-1")
        assert event.body == {"question_id": "q-1", "answer": "continue"}


async def test_the_same_answer_again_changes_nothing_and_another_one_is_refused(tmp_path: Path) -> None:
    async with world(tmp_path) as (found, questions):
        await asked(found, questions, question())
        first = await questions.answer(TENANT, "run-1", "q-1", "stop", by=ROSA)
        found.clock.advance(seconds=5)
        assert await questions.answer(TENANT, "run-1", "q-1", "stop", by=SELMA) == first
        with pytest.raises(ConflictError, match="answered already: 'stop'"):
            await questions.answer(TENANT, "run-1", "q-1", "continue", by=ROSA)
        assert await questions.get(TENANT, "q-1") == first
        assert len(await events(found)) == 2


async def test_of_two_different_answers_at_once_exactly_one_counts(tmp_path: Path) -> None:
    async with world(tmp_path) as (found, questions):
        await asked(found, questions, question())
        outcomes = await asyncio.gather(
            questions.answer(TENANT, "run-1", "q-1", "stop", by=ROSA),
            questions.answer(TENANT, "run-1", "q-1", "continue", by=SELMA),
            return_exceptions=True,
        )
        won = [outcome for outcome in outcomes if isinstance(outcome, RunQuestion)]
        assert [type(outcome) for outcome in outcomes if outcome not in won] == [ConflictError]
        assert await questions.get(TENANT, "q-1") == won[0]
        assert [event.body.get("answer") for event in await events(found)] == [None, won[0].answer]


async def test_an_answer_that_is_no_option_is_refused(tmp_path: Path) -> None:
    async with world(tmp_path) as (found, questions):
        await asked(found, questions, question())
        for value in ("", "STOP", "stop ", "continue\u200b", "pay everybody", "continue, stop"):
            with pytest.raises(InputError, match="choose one of continue, stop"):
                await questions.answer(TENANT, "run-1", "q-1", value, by=ROSA)
        assert (await questions.get(TENANT, "q-1")).state == "open"
        assert len(await events(found)) == 1


@pytest.mark.proves("E3")
async def test_nobody_reads_or_answers_a_question_of_another_tenant_or_run(tmp_path: Path) -> None:
    async with world(tmp_path) as (found, questions):
        kept = await asked(found, questions, question())
        for tenant, run_id, by in (
            ("millbrook", "run-1", MARC),
            (TENANT, "run-1", MARC),
            ("millbrook", "run-1", ROSA),
            (TENANT, "run-2", ROSA),
        ):
            with pytest.raises(NotFoundError, match="no question 'q-1'"):
                await questions.answer(tenant, run_id, "q-1", "stop", by=by)
        with pytest.raises(NotFoundError):
            await questions.get("millbrook", "q-1")
        assert await questions.of_run("millbrook", "run-1") == ()
        assert await questions.get(TENANT, "q-1") == kept


async def test_the_questions_of_an_ended_run_are_withdrawn_and_take_no_answer(tmp_path: Path) -> None:
    async with world(tmp_path) as (found, questions):
        await asked(found, questions, question("q-1"))
        await questions.answer(TENANT, "run-1", "q-1", "continue", by=ROSA)
        await asked(found, questions, question("q-2"))
        await asked(found, questions, question("q-3", run_id="run-2"))
        async with found.database.write() as connection:
            await questions.withdraw(TENANT, "run-1", connection=connection)
        states = {
            one.question_id: one.state for run in ("run-1", "run-2") for one in await questions.of_run(TENANT, run)
        }
        assert states == {"q-1": "answered", "q-2": "withdrawn", "q-3": "open"}
        with pytest.raises(ConflictError, match="was withdrawn"):
            await questions.answer(TENANT, "run-1", "q-2", "stop", by=ROSA)


async def test_a_question_that_was_damaged_is_named_and_takes_no_answer(tmp_path: Path) -> None:
    async with world(tmp_path) as (found, questions):
        for column in ("options", "detail", "state"):
            await asked(found, questions, question(column))
            async with found.database.write() as connection:
                damaged = update(run_questions).where(run_questions.c.question_id == column).values({column: "{"})
                await connection.execute(damaged)
            with pytest.raises(StorageError, match=f"question '{column}' cannot be read"):
                await questions.get(TENANT, column)
            with pytest.raises(StorageError, match=f"question '{column}' cannot be read"):
                await questions.answer(TENANT, "run-1", column, "stop", by=ROSA)
