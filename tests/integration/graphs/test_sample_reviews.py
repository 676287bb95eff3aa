"""Every sample case through the whole system: how its review ends, what it stands on, what it leaves behind."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from casewright.cases.computed import computed_facts
from casewright.cases.facts import resolve_fact
from casewright.contracts.clause import SearchFilters
from casewright.contracts.recommendation import CaseAssessment
from casewright.contracts.run import RunReport
from casewright.services import Services
from graphs.checkpoint import open_checkpoints
from graphs.explanation.explain import explain_run
from tests.integration.graphs.reviews import World, copied, opened, reviewer_of, sample_cases

ENDS: dict[str, tuple[str, str, int]] = {
    "HL-2026-0001": ("waiting_approval", "issue_provisional_credit", 50875),
    "HL-2026-0002": ("waiting_approval", "issue_provisional_credit", 55000),
    "HL-2026-0003": ("waiting_approval", "issue_provisional_credit", 57500),
    "HL-2026-0004": ("waiting_approval", "issue_provisional_credit", 132410),
    "HL-2026-0005": ("waiting_information", "request_information", 0),
    "HL-2026-0006": ("waiting_approval", "escalate", 0),
    "HL-2026-0007": ("waiting_approval", "issue_provisional_credit", 48020),
    "HL-2026-0008": ("waiting_approval", "deny_claim", 0),
    "HL-2026-0009": ("waiting_approval", "close_duplicate", 0),
    "HL-2026-0010": ("waiting_approval", "send_adverse_action_notice", 0),
    "HL-2026-0011": ("waiting_approval", "issue_final_credit", 30000),
    "HL-2026-0012": ("waiting_approval", "issue_final_credit", 31240),
    "HL-2026-0013": ("waiting_approval", "issue_provisional_credit", 79900),
    "HL-2026-0014": ("waiting_approval", "issue_provisional_credit", 64900),
    "HL-2026-0015": ("waiting_information", "request_information", 0),
    "HL-2026-0016": ("waiting_approval", "escalate", 0),
    "HL-2026-0017": ("waiting_approval", "issue_final_credit", 21840),
    "HL-2026-0018": ("waiting_approval", "deny_claim", 0),
    "HL-2026-0019": ("waiting_approval", "escalate", 0),
    "HL-2025-0398": ("waiting_approval", "deny_claim", 0),
    "HL-2025-0412": ("waiting_approval", "issue_final_credit", 13640),
    "HL-2025-0377": ("completed", "no_action", 0),
    "HL-2025-0301": ("completed", "no_action", 0),
    "MB-2026-0001": ("waiting_approval", "issue_provisional_credit", 18745),
    "MB-2026-0002": ("waiting_approval", "escalate", 0),
    "MB-2026-0003": ("waiting_approval", "issue_final_credit", 32675),
}
MAX_STATE_BYTES = 20_000
PRIVATE_FIELDS = ("narrative", "summary", "text", "what", "name", "description", "counterparty", "title", "author")
"""Fields of a case file that hold words of people."""
SHORTEST_TELLING = 12
"""Shorter values ("Letter", "Notice") are common words."""


@pytest.fixture(scope="module")
def shared_home(installation: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data folder for all reviews of this file, as in a real organisation."""
    return copied(installation, tmp_path_factory.mktemp("reviews") / "home")


def test_every_sample_case_has_an_expected_end() -> None:
    assert set(ENDS) == set(sample_cases())


@pytest.mark.proves("C1", "C2", "C3", "E1", "E3", "B3")
@pytest.mark.parametrize("case_id", sorted(ENDS))
async def test_a_review_ends_as_the_rules_say_backed_by_quotes_and_facts(shared_home: Path, case_id: str) -> None:
    async with opened(shared_home) as world:
        report = await world.start(case_id)
        assert report.recommendation is not None
        action = report.recommendation.action
        assert (report.status, action.kind, action.amount_minor) == ENDS[case_id], report.because
        await check_backing(world, report)
        check_waiting(report)
        await check_state(world, report)
        check_nothing_private(world.services.settings.checkpoints, case_id)
        await check_explanation(world, report)
        assert await world.outbox_rows() == 0


async def check_backing(world: World, report: RunReport) -> None:
    """Every finding has verified quotes or facts that the case or the rules give."""
    assert report.recommendation is not None
    tenant = world.tenant(report)
    stored = await world.services.cases.load(tenant, report.case_id)
    assert stored is not None
    person = world.person(reviewer_of(report.case_id))
    filters = SearchFilters(tenant=tenant, labels=person.labels, as_of=report.recommendation.as_of)
    assessed = await world.records.events(report.run_id, kind="assessed")
    computed = computed_facts(CaseAssessment.model_validate(assessed[-1].body))
    for finding in report.recommendation.summary:
        assert finding.citations or finding.facts, finding.claim
        for citation in finding.citations:
            verified = world.services.corpus.verify(citation, filters)
            assert verified.verified, verified.problem
        for fact in finding.facts:
            assert (computed.get(fact.path) or resolve_fact(stored.case, fact.path)) == fact.value, fact.path


def check_waiting(report: RunReport) -> None:
    """What a waiting run waits for is in its report."""
    if report.status == "waiting_information":
        assert report.evidence is not None
        assert report.evidence.missing
        assert report.questions
        for item in report.evidence.missing:
            assert item.id in report.because
            assert item.why
            assert item.clause.document_id
            assert item.clause.label
    if report.status == "waiting_approval":
        (pending,) = report.pending
        assert report.recommendation is not None
        assert (pending.action, pending.amount_minor) == ENDS[report.case_id][1:]
        assert pending.state == "pending"
        assert "supervisor" in pending.roles
    assert report.receipt is None


async def check_state(world: World, report: RunReport) -> None:
    """The checkpointed state is small and names the same draft and action as the report."""
    async with open_checkpoints(world.services.settings.checkpoints) as saver:
        saved = await saver.aget_tuple({"configurable": {"thread_id": report.run_id}})
    assert saved is not None
    state: dict[str, Any] = saved.checkpoint["channel_values"]
    assert state["draft_id"] == report.draft_id
    assert len(json.dumps(state, default=str)) < MAX_STATE_BYTES


def check_nothing_private(checkpoints: Path, case_id: str) -> None:
    """No words of the case are anywhere in the checkpoint database, whatever table or column."""
    stored = checkpoint_bytes(checkpoints)
    assert case_id.encode() in stored, "the search itself must find something"
    texts = list(telling_texts(sample_cases()[case_id]))
    assert texts, "there must be something to look for"
    assert [text for text in texts if text.encode() in stored] == []


def checkpoint_bytes(checkpoints: Path) -> bytes:
    """Every value of every row, and the files as they are."""
    connection = sqlite3.connect(checkpoints)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    values = [value for table in tables for row in connection.execute(f'SELECT * FROM "{table}"') for value in row]
    connection.close()
    files = [path.read_bytes() for path in checkpoints.parent.glob(f"{checkpoints.name}*")]
    return b"\n".join([*(value if isinstance(value, bytes) else str(value).encode() for value in values), *files])


def telling_texts(document: Any, field: str = "") -> Iterator[str]:
    """Names, and pieces of the longer texts, of a case file."""
    match document:
        case dict():
            for name, value in document.items():  # pyright: ignore[reportUnknownVariableType]
                yield from telling_texts(value, str(name))  # pyright: ignore[reportUnknownArgumentType]
        case list():
            for item in document:  # pyright: ignore[reportUnknownVariableType]
                yield from telling_texts(item, field)
        case str() if field in PRIVATE_FIELDS:
            pieces = [piece.strip() for piece in document.replace("\n", ". ").split(". ")]
            yield from (piece for piece in pieces if len(piece) >= SHORTEST_TELLING or field == "name")
        case _:
            return


async def check_explanation(world: World, report: RunReport) -> None:
    """Every answer of the explanation is there and names events that exist."""
    row = await world.records.get(world.tenant(report), report.run_id)
    document = (await explain_run(world.services, world.records, row)).model_dump(mode="json")
    known = await known_events(world.services, world, report)
    for question in ("answered", "why", "evidence", "permission", "model", "tools", "validation", "cost", "detection"):
        assert document[question], question
        named = [event for statement in document[question] for event in statement["events"]]
        assert named, question
        assert set(named) <= known, question


async def known_events(services: Services, world: World, report: RunReport) -> set[str]:
    audit = await services.audit.events(tenant=world.tenant(report), run_id=report.run_id)
    steps = await world.records.events(report.run_id)
    return {f"audit:{event.seq}" for event in audit} | {f"run:{event.seq}" for event in steps}
