"""Reviews over MCP: begun, followed, answered, decided and explained, by the same deeds as over the API."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from casewright.clock import SystemClock
from commands.orchestrator import build_question_driver
from tests.integration.graphs import reviews
from tests.support.asking import APPROVE, User, client_of
from tests.support.installation import (
    CASE,
    MODES,
    POLICIES,
    SEALED_CASE,
    Bearer,
    Mode,
    World,
    opened,
    said,
    structured,
)
from tests.support.reviewed_api import Reviewed

PEOPLE = ("rosa", "tomas", "selma", "idris", "avery", "petra", "lena", "marc")
NO_CASE = ""


async def events_of(world: World, person: str, run_id: str) -> list[tuple[str, str]]:
    tenant = world.services.identities.find(person).tenant
    found = await world.events(run_id=run_id, tenant=tenant)
    return [(event.kind, str(event.body.get("tool", ""))) for event in found]


@pytest.mark.thorough
@pytest.mark.proves("I5", "D1")
async def test_a_review_is_begun_once_read_listed_and_hidden_from_others(world: World) -> None:
    world.services.corpus.index_version()
    async with world.client("review", Bearer(case_id=NO_CASE)) as client:
        begun = structured(await client.call_tool("start_review", {"case_id": CASE}))
        again = structured(await client.call_tool("start_review", {"case_id": CASE}))
        assert (begun["status"], begun["report"], again["run_id"]) == ("queued", None, begun["run_id"])
        listed = structured(await client.call_tool("list_reviews", {}))["reviews"]
        assert [(found["run_id"], found["case_id"]) for found in listed] == [(begun["run_id"], CASE)]
        unnamed = await client.call_tool("start_review", {})
        assert unnamed.is_error and "name the case" in said(unnamed)
        waited = structured(await client.call_tool("get_review", {"run_id": begun["run_id"], "wait_seconds": 1}))
        assert waited["status"] == "queued", "nobody drives it, and the server does not"
    async with world.client("review", Bearer(identity="tomas", case_id=NO_CASE)) as client:
        seen = await client.call_tool("get_review", {"run_id": begun["run_id"]})
        absent = await client.call_tool("get_review", {"run_id": "run-0000"})
        assert seen.is_error and said(seen) == said(absent)
        assert structured(await client.call_tool("list_reviews", {}))["reviews"] == []


@pytest.mark.proves("I5", "B2")
async def test_a_token_for_one_case_begins_and_reads_reviews_of_no_other(world: World) -> None:
    async with world.client("review", Bearer(identity="selma", case_id=NO_CASE)) as client:
        other = structured(await client.call_tool("start_review", {"case_id": SEALED_CASE}))["run_id"]
    async with world.client("review", Bearer(identity="selma", case_id=CASE)) as client:
        assert structured(await client.call_tool("start_review", {}))["case_id"] == CASE
        refused = await client.call_tool("start_review", {"case_id": SEALED_CASE})
        assert refused.is_error and "not available" in said(refused)
        assert (await client.call_tool("get_review", {"run_id": other})).is_error
        assert [found["case_id"] for found in structured(await client.call_tool("list_reviews"))["reviews"]] == [CASE]
    assert ("call.denied", "read_run") in await events_of(world, "selma", "run-1")


@pytest.mark.thorough
@pytest.mark.proves("I5")
async def test_a_question_about_the_rules_is_queued_for_its_asker_alone(world: World) -> None:
    asked = {"question": "How long may a claim take?", "as_of": "2026-11-01", "wait_seconds": 1}
    async with world.client("review", Bearer(identity="petra", case_id=NO_CASE)) as client:
        begun = structured(await client.call_tool("ask_question", asked))
        assert (begun["status"], begun["answer"], begun["as_of"]) == ("queued", None, "2026-11-01")
        odd = await client.call_tool("ask_question", {"question": "How long?", "as_of": "tomorrow"})
        assert odd.is_error and "write YYYY-MM-DD" in said(odd)
        own = structured(await client.call_tool("get_answer", {"run_id": begun["run_id"]}))
        assert own["question"] == "How long may a claim take?"
    async with world.client("review", Bearer(case_id=NO_CASE)) as client:
        others = await client.call_tool("get_answer", {"run_id": begun["run_id"]})
        absent = await client.call_tool("get_answer", {"run_id": "ask-0000"})
        assert others.is_error and said(others) == said(absent)
        review = await client.call_tool("get_review", {"run_id": begun["run_id"]})
        assert review.is_error, "a question is no review"


@pytest.mark.thorough
@pytest.mark.timeout(180)
@pytest.mark.proves("I5")
async def test_an_answer_over_mcp_quotes_the_rules(home: Path) -> None:
    async with opened(home, POLICIES) as world, reviews.opened(home) as worker:
        world.clock.at_ns = SystemClock().now_ns()
        driver = build_question_driver(worker.services, worker.gateway)
        asked = {"question": "How soon must provisional credit be given?"}
        async with world.client("review", Bearer(case_id=NO_CASE)) as client:
            begun = structured(await client.call_tool("ask_question", asked))
            found: dict[str, Any] = {}

            async def follow() -> None:
                following = {"run_id": begun["run_id"], "wait_seconds": 50}
                found.update(structured(await client.call_tool("get_answer", following)))

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(follow)
                await driver.resume("harborline", begun["run_id"])
        assert found["status"] == "completed"
        assert not found["answer"]["abstained"]
        assert found["answer"]["citations"]


@dataclass(frozen=True)
class Deed:
    """One deed over MCP and over the API, sent so that it changes nothing where that can be."""

    tool: str
    arguments: dict[str, Any]
    method: str
    path: str
    body: Any
    well: int
    """What the API answers those who may: success, or what only they are told is missing or wrong."""

    async def over_mcp(self, client: Client) -> bool:
        return not (await client.call_tool(self.tool, self.arguments)).is_error

    async def over_api(self, reviewed: Reviewed, person: str) -> bool:
        sent = {} if self.body is None else {"json": self.body}
        answer = await reviewed.api.ask(self.method, f"/v1/{self.path}", by=person, **sent)
        assert answer.status_code in (self.well, 403, 404), answer.text
        return answer.status_code == self.well


def deeds(run: str, approval: str, question: str) -> Iterator[Deed]:
    for case_id in (CASE, SEALED_CASE, "MB-2026-0001", "HL-0000-0000"):
        named = {"case_id": case_id}
        yield Deed("start_review", named, "POST", "reviews", named, 202)
    yield Deed("get_review", {"run_id": run}, "GET", f"runs/{run}", None, 200)
    yield Deed("explain_review", {"run_id": run}, "GET", f"runs/{run}/explanation", None, 200)
    yield Deed("get_approval", {"approval_id": approval}, "GET", f"approvals/{approval}", None, 200)
    asked = {"run_id": run, "question_id": question}
    # Without If-Match, and for another digest: only those who may are told so.
    yield Deed("answer_question", asked, "POST", f"runs/{run}/questions/{question}/answer", {"value": "stop"}, 428)
    vote = {"approve": True, "digest": "0" * 64}
    yield Deed("decide_approval", {"approval_id": approval}, "POST", f"approvals/{approval}/votes", vote, 409)


@pytest.mark.thorough
@pytest.mark.timeout(300)
@pytest.mark.proves("I5", "D1")
async def test_people_may_do_the_same_over_mcp_as_over_the_api(reviewed: Reviewed) -> None:
    world = reviewed.api.world
    question = await reviewed.api.asked(reviewed.run_id)
    compared, allowed = 0, 0
    for person in PEOPLE:
        async with world.client("review", Bearer(identity=person, case_id=NO_CASE)) as client:
            for deed in deeds(reviewed.run_id, reviewed.approval_id, question):
                here, there = await deed.over_mcp(client), await deed.over_api(reviewed, person)
                assert here is there, (person, deed, "over MCP alone" if here else "over the API alone")
                compared, allowed = compared + 1, allowed + here
    assert compared == len(PEOPLE) * 9
    assert 15 < allowed < compared - 15, "both answers occur, many times"


@pytest.mark.thorough
@pytest.mark.proves("I5", "B5")
async def test_people_read_the_same_report_over_mcp_as_over_the_api(reviewed: Reviewed) -> None:
    for person in ("rosa", "selma", "idris", "avery"):
        there = (await reviewed.api.get(f"/v1/runs/{reviewed.run_id}", by=person)).json()["report"]
        async with reviewed.api.world.client("review", Bearer(identity=person, case_id=NO_CASE)) as client:
            for call in (("get_review", {"run_id": reviewed.run_id}), ("start_review", {"case_id": CASE})):
                if person != "avery" or call[0] == "get_review":  # an auditor begins nothing
                    assert structured(await client.call_tool(*call))["report"] == there, (person, call)


@pytest.mark.thorough
@pytest.mark.proves("I5", "D1")
async def test_people_find_the_same_queue_over_mcp_as_over_the_api(reviewed: Reviewed) -> None:
    seen = set[str]()
    for person in PEOPLE:
        queue = await reviewed.api.ask("GET", "/v1/approvals?state=pending", by=person)
        over_api = [item["approval_id"] for item in queue.json()["items"]]
        async with reviewed.api.world.client("review", Bearer(identity=person, case_id=NO_CASE)) as client:
            result = await client.call_tool("list_approvals", {})
        if result.is_error:  # the review server has no tool for those who see no case
            assert (person, over_api) == ("petra", [])
            continue
        assert [item["approval_id"] for item in structured(result)["approvals"]] == over_api, person
        seen |= {person} if over_api else set()
    assert seen == {"rosa", "selma", "idris", "avery"}


@pytest.mark.thorough
@pytest.mark.timeout(180)
@pytest.mark.proves("I5", "I4", "E3")
@pytest.mark.parametrize("mode", MODES)
async def test_a_whole_review_over_mcp_with_progress_and_a_decision_in_place(home: Path, mode: Mode) -> None:
    async with opened(home, POLICIES) as world, reviews.opened(home) as worker:
        world.clock.at_ns = SystemClock().now_ns()
        steps: list[tuple[float, str]] = []

        async def told(progress: float, total: float | None, message: str | None) -> None:
            assert total is None
            steps.append((progress, message or ""))

        async with world.client("review", Bearer(case_id=NO_CASE), mode=mode) as rosa:
            run_id = structured(await rosa.call_tool("start_review", {"case_id": CASE}))["run_id"]
            found: dict[str, Any] = {}

            async def follow() -> None:
                following = {"run_id": run_id, "wait_seconds": 50}
                result = await rosa.call_tool("get_review", following, progress_callback=told)
                found.update(structured(result))

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(follow)
                await worker.runner.resume("harborline", run_id)
            assert (found["status"], found["waiting_for"] != "") == ("waiting_approval", True)
            assert len(steps) > 5
            assert [done for done, _ in steps] == sorted({done for done, _ in steps})
            user = User(APPROVE)
            async with client_of(world, "review", Bearer(identity="selma", case_id=NO_CASE), user, mode=mode) as selma:
                (waiting,) = structured(await selma.call_tool("list_approvals", {}))["approvals"]
                given = {"approval_id": waiting["approval_id"]}
                assert structured(await selma.call_tool("decide_approval", given))["status"] == "recorded"
            await worker.runner.resume("harborline", run_id)
            done = structured(await rosa.call_tool("get_review", {"run_id": run_id}))
            assert (done["status"], done["report"]["receipt"]["approval_id"]) == ("completed", waiting["approval_id"])
            explained = structured(await rosa.call_tool("explain_review", {"run_id": run_id}))
            assert explained["answered"] and explained["permission"]
            (read,) = (await rosa.read_resource(f"run://{run_id}/explain")).contents
            later = json.loads(getattr(read, "text", ""))
            assert later | {"detection": ()} == explained | {"detection": ()}, "the audit has grown, and nothing else"
            with pytest.raises(MCPError, match="not available"):
                await rosa.read_resource("run://run-0000/explain")
        assert len(await world.effects(CASE)) == 1
