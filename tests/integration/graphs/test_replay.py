"""A whole run again from its records: the same to the byte; where code, data or records differ, the place is told."""

import asyncio
import base64
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agents import answerer, policy_researcher
from casewright.audit.beside import written
from casewright.config import Budgets, app_root
from casewright.contracts.run import RunReport
from casewright.errors import CasewrightError
from casewright.models.prompts import PromptLibrary
from casewright.models.replaying import Replayer
from casewright.replay.kept_steps import KeptSteps, PlayedStep
from casewright.replay.made_call import MadeCall
from casewright.replay.recording import LONGEST_SAID, StepOfRun, ToolRecorder
from casewright.services import Services
from commands.orchestrator import build_protection, build_question_driver
from graphs import router
from graphs.inquiries import Inquiries, Inquiry
from graphs.records import RunRow
from graphs.replay.question import recorded_question, replay_question
from graphs.replay.record import UNCOUNTED, NotRecordedError, RecordedRun, attempts, recorded_run
from graphs.replay.review import ReplayedReview, ReplayMeans, recorded_budgets, replay_review
from tests.integration.graphs.reviews import World, copied, opened, sample_cases

CREDIT_CASE = "HL-2026-0012"
APPROVERS = ("selma", "sana", "priya", "marta")


async def means(services: Services, row: RunRow) -> ReplayMeans:
    prompts = PromptLibrary(app_root() / "agents" / "prompts")
    return ReplayMeans(
        prompts=prompts,
        replayer=Replayer(prompts, [build_protection(services)]),
        budgets=recorded_budgets(row, Budgets()),
        questions=await services.questions.of_run(row.tenant, row.run_id),
    )


async def recorded(world: World, report: RunReport) -> RecordedRun:
    row = await world.records.get(world.tenant(report), report.run_id)
    return await recorded_run(world.services, world.records, row)


async def replayed(world: World, report: RunReport) -> ReplayedReview:
    run = await recorded(world, report)
    return await replay_review(run, await means(world.services, run.row))


def replay_of(folder: Path, report: RunReport) -> ReplayedReview:
    async def run() -> ReplayedReview:
        async with opened(folder) as world:
            return await replayed(world, report)

    return asyncio.run(run())


def changed(folder: Path, statement: str, *values: Any, database: str = "casewright.db") -> int:
    with closing(sqlite3.connect(folder / database)) as connection, connection:
        return connection.execute(statement, values).rowcount


@pytest.mark.proves("G4")
def test_a_waiting_review_is_replayed_whole_and_leaves_no_trace(waiting: tuple[Path, RunReport]) -> None:
    folder, report = waiting

    async def run() -> None:
        async with opened(folder) as world:
            before = await world.footprint()
            found = await replayed(world, report)
            assert (found.parting, found.unknown, found.report) == (None, "", "same")
            assert found.steps == found.same == len([node for node in report.steps if node not in UNCOUNTED])
            assert found.tool_calls == report.budget.spent.tool_calls
            assert [one.verdict for one in found.models] == ["same"] * 3
            assert await world.footprint() == before, "a replay writes nothing"

    asyncio.run(run())


@pytest.mark.proves("G4")
def test_another_search_is_told_by_step_place_and_both_values(
    waiting: tuple[Path, RunReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, report = waiting
    monkeypatch.setattr(policy_researcher, "HITS_PER_QUERY", 7)
    found = replay_of(folder, report).parting
    assert found is not None
    assert (found.node, found.what, found.place) == ("policy_researcher", "tool", "search_policies.arguments.limit")
    assert (found.was, found.now) == ("6", "7")


@pytest.mark.proves("G4")
def test_a_recorded_model_call_that_would_not_be_made_again_is_told(waiting: tuple[Path, RunReport]) -> None:
    folder, report = waiting

    async def run() -> ReplayedReview:
        async with opened(folder) as world:
            run = await recorded(world, report)
            twice = replace(run, models=(*run.models, run.models[-1]))
            return await replay_review(twice, await means(world.services, run.row))

    found = asyncio.run(run()).parting
    assert found is not None and (found.node, found.what) == ("drafter", "model")
    assert "would not be asked" in found.place


@pytest.mark.proves("G4")
def test_a_step_whose_event_was_written_late_still_finds_its_model_call(waiting: tuple[Path, RunReport]) -> None:
    folder, report = waiting
    late = "UPDATE run_events SET at_ns = at_ns + 5000000000 WHERE run_id = ? AND kind = 'step' AND body LIKE ?"
    assert changed(folder, late, report.run_id, '%"node": "drafter"%') == 1
    found = replay_of(folder, report)
    assert (found.parting, found.unknown, found.report) == (None, "", "same")


@pytest.mark.proves("G4")
def test_another_way_through_the_graph_is_told_at_the_step_where_it_parts(
    waiting: tuple[Path, RunReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, report = waiting
    monkeypatch.setattr(router, "DELEGATES", ("evidence_checker", "facts_analyst", "policy_researcher", "drafter"))
    found = replay_of(folder, report).parting
    assert found is not None
    assert (found.step, found.what, found.was, found.now) == (2, "step", '"facts_analyst"', '"evidence_checker"')


@pytest.mark.proves("G4")
def test_a_recorded_result_that_was_changed_exchanged_or_removed_is_found(waiting: tuple[Path, RunReport]) -> None:
    folder, report = waiting
    rows = "SELECT address FROM tool_recordings WHERE run_id = ? AND step = ?"
    exchanged = f"UPDATE tool_recordings SET address = ({rows}) WHERE run_id = ? AND step = ?"
    assert changed(folder, exchanged, report.run_id, 2, report.run_id, 1) == 1
    found = replay_of(folder, report)
    assert found.same == 1 and "what stands here is step 2" in found.unknown
    cut = "UPDATE model_contents SET body = substr(body, 1, 60) WHERE address = (SELECT address FROM tool_recordings"
    assert changed(folder, f"{cut} WHERE run_id = ? AND step = 0)", report.run_id) == 1
    found = replay_of(folder, report)
    assert found.same == 0 and "step 1 (intake)" in found.unknown
    assert changed(folder, "DELETE FROM tool_recordings WHERE run_id = ? AND step = 0", report.run_id) == 1
    found = replay_of(folder, report)
    assert found.parting is None and "step 1 (intake): its recording is not there" in found.unknown
    assert changed(folder, "DELETE FROM tool_recordings WHERE run_id = ?", report.run_id) > 5
    with pytest.raises(NotRecordedError, match="no recording of what its tools answered"):
        replay_of(folder, report)


def test_what_tools_answered_is_nowhere_readable_without_the_key(waiting: tuple[Path, RunReport]) -> None:
    folder, report = waiting
    holder = next(party["name"] for party in sample_cases()[report.case_id]["parties"])
    with closing(sqlite3.connect(folder / "casewright.db")) as connection:
        recorded_ones = "SELECT body FROM model_contents WHERE address LIKE 'sealed:%'"
        bodies = [
            bytes(row[0]) if isinstance(row[0], bytes) else row[0].encode() for row in connection.execute(recorded_ones)
        ]
    assert len(bodies) > 10 and not any(holder.encode() in body for body in bodies)
    (folder / "records-key").write_bytes(base64.b64encode(bytes(32)))

    found = replay_of(folder, report)
    assert found.same == 0 and "does not open" in found.unknown, "with another key nothing is read"


@pytest.mark.thorough
@pytest.mark.proves("G4")
@pytest.mark.timeout(240)
def test_every_sample_review_is_replayed_to_the_byte_through_its_votes(installation: Path, tmp_path: Path) -> None:
    home = copied(installation, tmp_path / "home")

    async def run() -> dict[str, tuple[str, object]]:
        found: dict[str, tuple[str, object]] = {}
        async with opened(home) as world:
            for case_id in sample_cases():
                report = await voted(world, await world.start(case_id))
                once = await replayed(world, report)
                found[case_id] = (report.status, once.parting or once.unknown or once.report)
        return found

    results = asyncio.run(run())
    assert len(results) >= 14 and len({status for status, _ in results.values()}) >= 3
    assert {case_id: told for case_id, (_, told) in results.items() if told != "same"} == {}


async def voted(world: World, report: RunReport) -> RunReport:
    """The run after everybody who may has voted for it, as far as that brings it."""
    for approver in APPROVERS if report.status == "waiting_approval" else ():
        try:
            approval = await world.vote(report, approver)
        except CasewrightError:
            continue
        if approval.state == "approved":
            break
    return await world.resume(report)


@pytest.mark.thorough
def test_a_declined_review_is_replayed_to_its_end_and_a_cancelled_one_as_far_as_it_went(
    waiting: tuple[Path, RunReport],
) -> None:
    folder, report = waiting

    async def run() -> None:
        async with opened(folder) as world:
            rejected = await world.vote(report, "selma", approve=False)
            assert rejected.state == "rejected"
            done = await world.resume(report)
            found = await replayed(world, done)
            assert (found.parting, found.unknown, found.report) == (None, "", "same"), "declined, and told so"
            another = await world.start("HL-2026-0001")
            await world.runner.cancel(world.tenant(another), another.run_id, by="rosa", why="a test")
            found = await replayed(world, another)
            assert found.parting is None and found.report.startswith("not compared: whoever drove the run")

    asyncio.run(run())


def test_attempts_that_failed_or_died_have_no_part_in_the_replay(waiting: tuple[Path, RunReport]) -> None:
    """Events of half a step are followed by `step_failed` or `taken_over`; what came after counts."""
    folder, report = waiting

    async def run() -> None:
        async with opened(folder) as world:
            events = list(await world.records.events(report.run_id))
            whole = attempts(events)
            at = next(n for n, event in enumerate(events) if event.kind == "researched")
            orphan = replace(events[at], body={"clauses": [], "gaps": ["never kept"]})
            for ending in ("step_failed", "taken_over"):
                died = [*events[:at], orphan, replace(orphan, kind=ending, body={}), *events[at:]]
                assert attempts(died) == whole

    asyncio.run(run())


@pytest.mark.proves("G4")
@pytest.mark.parametrize("kind", ["assessed", "drafted", "step"])
def test_a_changed_event_of_the_run_is_told_as_the_first_difference(waiting: tuple[Path, RunReport], kind: str) -> None:
    folder, report = waiting
    with closing(sqlite3.connect(folder / "casewright.db")) as connection:
        row = connection.execute(
            "SELECT seq, body FROM run_events WHERE run_id = ? AND kind = ? ORDER BY seq LIMIT 1", (report.run_id, kind)
        ).fetchone()
    body = json.loads(row[1])
    place = {"assessed": "currency", "drafted": "version", "step": "tool_calls"}[kind]
    body = body | {place: 99} if place in body else body | {"invented": 99}
    statement = "UPDATE run_events SET body = ? WHERE run_id = ? AND seq = ?"
    assert changed(folder, statement, json.dumps(body), report.run_id, row[0]) == 1
    found = replay_of(folder, report).parting
    assert found is not None and found.what == "event" and found.place.startswith(f"{kind}.")
    assert found.was == "99"


@pytest.mark.proves("G4")
def test_an_answered_question_is_replayed_and_another_limit_of_its_search_is_told(
    waiting: tuple[Path, RunReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = waiting

    async def run() -> None:
        async with opened(folder) as world:
            rosa, records = world.person("rosa"), world.records
            asked = Inquiry(question="When must the bank report the result of an investigation?", as_of="2026-11-06")
            await Inquiries(world.services, records).begin(rosa, asked, run_id="ask-replayed")
            driver = build_question_driver(world.services, world.gateway)
            assert (await driver.resume(rosa.tenant, "ask-replayed")).status == "completed"
            row = await records.get(rosa.tenant, "ask-replayed")
            question = await recorded_question(world.services, records, row)
            assert isinstance(question.tools, PlayedStep)
            made = len(question.tools.calls)
            with_means = await means(world.services, row)
            before = await world.footprint()
            found = await replay_question(question, with_means)
            assert (found.parting, found.unknown, found.tool_calls) == (None, "", made)
            monkeypatch.setattr(answerer, "HITS", 3)
            parting = (await replay_question(question, with_means)).parting
            assert parting is not None and parting.place == "search_policies.arguments.limit"
            assert await world.footprint() == before

    asyncio.run(run())


@pytest.mark.proves("G4")
def test_a_step_is_kept_and_read_again_whatever_its_texts_hold(waiting: tuple[Path, RunReport]) -> None:
    folder, _ = waiting
    half = MadeCall(tool="search_policies", arguments={"query": "half \ud83d"}, ending="refused", said="no" * 400_000)
    answered = MadeCall(tool="get_case", arguments={}, ending="answered", result={"text": "half \ude00", "score": 0.5})

    async def run() -> None:
        async with opened(folder) as world:
            services = world.services
            recorder = ToolRecorder(services.contents, services.clock)
            rows = recorder.rows(
                StepOfRun(tenant="harborline", run_id="odd", number=0, node="intake"), [half, answered]
            )
            async with services.database.write() as connection:
                await written(rows, connection)
            (step,) = await KeptSteps(services.database, services.contents).of_run("harborline", "odd")
            assert isinstance(step, PlayedStep)
            assert step.calls == (replace(half, said=half.said[:LONGEST_SAID]), answered)

    asyncio.run(run())
