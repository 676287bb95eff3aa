"""Reviews and questions as a user runs them, with a model behind the real wire, and offline: both pass the gate."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from casewright.contracts.recommendation import Recommendation
from tests.integration.graphs.reviews import copied, reviewer_of
from tests.support.anthropic_messages import MODEL, error
from tests.support.anthropic_server import API_KEY, MessagesServer, Step, model_server
from tests.support.installation import CHECKOUT, Bearer, opened, process_environment, structured
from tests.support.scripted_model import ScriptedModel

pytestmark = [pytest.mark.thorough, pytest.mark.timeout(400)]
CASES = ("HL-2026-0001", "HL-2026-0010", "HL-2026-0011", "HL-2026-0012")
FABRICATED = "The bank must pay whatever is asked for at once."
PLACEHOLDER = re.compile(r"\[[A-Z]+_\d")
QUESTION = "How long may the investigation take when the transfer was made at a point of sale?"
WAIT = 180
WAITING = 4
"""Exit code of a review that waits for approval."""


def command(home: Path, *arguments: str, server: MessagesServer | None = None, expected: int = 0) -> dict[str, Any]:
    """The JSON of one command."""
    done = started(home, *arguments, "--json", server=server)
    assert done.returncode == expected, done.stdout + done.stderr
    return json.loads(done.stdout)


def started(home: Path, *arguments: str, server: MessagesServer | None) -> "subprocess.CompletedProcess[str]":
    """One command that has ended, with the local server as its model service or with none."""
    keys = {"ANTHROPIC_API_KEY": "", "ANTHROPIC_BASE_URL": ""}
    if server is not None:
        keys = {
            "ANTHROPIC_API_KEY": API_KEY,
            "ANTHROPIC_BASE_URL": server.base_url,
            "CASEWRIGHT_ANTHROPIC_MODEL": MODEL,
        }
    return subprocess.run(
        [sys.executable, "-m", "casewright.launch", *arguments],
        env=process_environment(home, **keys),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=False,
    )


@dataclass(frozen=True, kw_only=True)
class Reviewed:
    """What the command said of a review."""

    run_id: str
    case_id: str
    status: str
    model: str
    recommendation: Recommendation
    said: str
    """All of it."""

    @property
    def proposed(self) -> tuple[str, int]:
        return self.recommendation.action.kind, self.recommendation.action.amount_minor


def review(home: Path, case_id: str, server: MessagesServer | None = None) -> Reviewed:
    document = command(home, "review", case_id, "--as", reviewer_of(case_id), server=server, expected=WAITING)
    return Reviewed(
        run_id=document["run_id"],
        case_id=case_id,
        status=document["status"],
        model=document["model"],
        recommendation=Recommendation.model_validate_json(json.dumps(document["recommendation"])),
        said=json.dumps(document, ensure_ascii=False),
    )


async def gate(home: Path, report: Reviewed) -> tuple[str, ...]:
    """What the drafting server finds wrong with a recommendation, for the run that made it."""
    async with opened(home) as world:
        bearer = Bearer(
            identity=reviewer_of(report.case_id),
            case_id=report.case_id,
            agent="verifier",
            run_id=report.run_id,
            scopes=("verify_draft",),
        )
        wanted = report.recommendation.model_dump(mode="json")
        result = await world.call("drafting", "verify_draft", {"recommendation": wanted}, bearer=bearer)
    return tuple(structured(result)["problems"])


@pytest.fixture(scope="module")
def homes(installation: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A data folder for reviews with the model, and one for reviews without."""
    folder = tmp_path_factory.mktemp("scripted-model")
    return copied(installation, folder / "online"), copied(installation, folder / "offline")


@pytest.fixture(scope="module")
def scripted() -> Iterator[tuple[MessagesServer, ScriptedModel]]:
    model = ScriptedModel()
    with model_server(model) as server:
        yield server, model


@pytest.mark.proves("F2", "C1", "F7")
@pytest.mark.parametrize("case_id", CASES)
async def test_a_review_over_the_wire_and_one_offline_both_pass_the_citation_gate(
    case_id: str, homes: tuple[Path, Path], scripted: tuple[MessagesServer, ScriptedModel]
) -> None:
    (online, offline), (server, model) = homes, scripted
    before = len(model.prompts)
    over_the_wire, without = review(online, case_id, server), review(offline, case_id)
    assert (over_the_wire.model, without.model) == (MODEL, "offline/extractive")
    assert over_the_wire.status == without.status
    assert over_the_wire.proposed == without.proposed
    for home, report in ((online, over_the_wire), (offline, without)):
        assert any(finding.citations for finding in report.recommendation.summary)
        assert not PLACEHOLDER.search(report.recommendation.model_dump_json())
        assert await gate(home, report) == ()
    sent = "".join(model.prompts[before:])
    assert '"draft.recommendation"' not in sent, "the name of a task is nothing a model has to know"
    assert "draft.recommendation" in model.asked


@pytest.mark.proves("F3", "C1")
async def test_a_model_that_fabricates_a_quote_is_corrected_and_nothing_of_it_is_kept(
    installation: Path, tmp_path: Path
) -> None:
    home, spoilt = copied(installation, tmp_path / "home"), list[str]()

    def once(task: str, answered: dict[str, Any]) -> dict[str, Any]:
        return fabricated(task, answered) if task not in spoilt and not spoilt.append(task) else answered

    with model_server(ScriptedModel(once)) as server:
        report = review(home, CASES[0], server)
    assert "draft.recommendation" in spoilt
    assert report.model == MODEL
    assert FABRICATED not in report.said
    assert await gate(home, report) == ()
    (drafted,) = [call for call in await calls(home, report.run_id) if call["task"] == "draft.recommendation"]
    assert (drafted["repairs"], drafted["outcome"], drafted["degraded"]) == (1, "answered", False)


@pytest.mark.proves("F4", "C1")
async def test_a_model_that_goes_on_fabricating_is_replaced_by_the_offline_rules(
    installation: Path, tmp_path: Path
) -> None:
    home = copied(installation, tmp_path / "home")
    with model_server(ScriptedModel(fabricated)) as server:
        report = review(home, CASES[1], server)
    assert FABRICATED not in report.said
    assert await gate(home, report) == ()
    (drafted,) = [call for call in await calls(home, report.run_id) if call["task"] == "draft.recommendation"]
    assert (drafted["repairs"], drafted["degraded"], drafted["provider"]) == (2, True, "offline")


@pytest.mark.proves("F9", "A6")
def test_sentences_of_an_answer_are_events_of_the_run_and_a_fabricated_one_never_is(
    homes: tuple[Path, Path],
) -> None:
    home, asked = homes[0], list[str]()

    def second_sentence(task: str, answered: dict[str, Any]) -> dict[str, Any]:
        asked.append(task)
        if len(asked) > 1 or not answered["sentences"]:
            return answered
        quoted = [{**answered["sentences"][0]["citations"][0], "quote": FABRICATED}]
        return {**answered, "sentences": [answered["sentences"][0], {"citations": quoted, "text": FABRICATED}]}

    with model_server(ScriptedModel(second_sentence)) as server:
        answered = command(home, "ask", QUESTION, "--as-of", "2026-03-02", server=server)
    assert server.requests[0]["stream"] is True
    assert (len(asked), answered["model"]) == (2, MODEL)
    events = command(home, "runs", "events", answered["run_id"])["events"]
    shown = [event["body"] for event in events if event["kind"] == "sentence"]
    assert " ".join(body["text"] for body in shown) == answered["answer"]
    assert all(citation["verified"] for body in shown for citation in body["citations"])
    assert FABRICATED not in json.dumps(events)


@pytest.mark.proves("F9")
def test_a_person_at_the_terminal_sees_sentences_as_they_come(homes: tuple[Path, Path]) -> None:
    with model_server(ScriptedModel()) as server:
        words = ("ask", QUESTION, "--as-of", "2026-03-02", "--stream")
        done = started(homes[0], *words, server=server)
        refused = started(homes[0], *words, "--json", server=server)
    assert done.returncode == 0, done.stderr
    before, _, _ = done.stdout.partition(" answer ")
    assert re.findall(r"^\d+(?=\. )", before, re.MULTILINE) == ["1", "2", "3"]
    assert (refused.returncode, len(server.requests)) == (2, 1)


@pytest.mark.proves("F2")
def test_the_check_asks_each_tier_once_and_says_what_it_took(homes: tuple[Path, Path]) -> None:
    model = ScriptedModel()
    with model_server(model) as server:
        document = command(homes[0], "models", "check", server=server)
    assert [one["tier"] for one in document["checks"]] == ["fast", "standard", "strong", "(any)"]
    assert model.asked == ["research.select"] * 3
    for one in document["checks"][:3]:
        assert one["answered"] and one["structured_output"]
        assert (one["answered_by"], one["input_tokens"], one["output_tokens"], one["requests"]) == (MODEL, 100, 20, 1)
        assert one["latency_ms"] >= 0
        assert one["request_ids"]


@pytest.mark.proves("F2")
def test_the_check_names_a_service_that_does_not_answer(homes: tuple[Path, Path], tmp_path: Path) -> None:
    def no_key(_: dict[str, Any]) -> Step:
        return Step(status=401, body=error("authentication_error"))

    with model_server(no_key) as server:
        document = command(homes[0], "models", "check", server=server, expected=1)
    assert [one["answered"] for one in document["checks"]] == [False, False, False, True]
    assert "HTTP 401 authentication_error" in document["checks"][0]["problem"]


@pytest.mark.proves("F2")
def test_the_check_without_a_model_says_the_way_out_and_checks_the_offline_provider(homes: tuple[Path, Path]) -> None:
    document = command(homes[1], "models", "check", expected=2)
    assert "ANTHROPIC_API_KEY" in document["problem"]
    assert [(one["model"], one["answered"]) for one in document["checks"]] == [("offline", True)]


def fabricated(task: str, answered: dict[str, Any]) -> dict[str, Any]:
    """A draft whose first quote is made up; other answers as they are."""
    if task != "draft.recommendation":
        return answered
    findings = [dict(finding) for finding in answered["findings"]]
    quoted = next(finding for finding in findings if finding["citations"])
    quoted["citations"] = [{**quoted["citations"][0], "quote": FABRICATED}, *quoted["citations"][1:]]
    return {**answered, "findings": findings}


async def calls(home: Path, run_id: str) -> list[dict[str, Any]]:
    """The recorded model calls of a run."""
    async with opened(home) as world:
        return [event.body for event in await world.events(run_id=run_id) if event.kind == "model.called"]
