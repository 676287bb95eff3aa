"""Explanations: each statement stands on events, people's part is told, and no text of a record is markup."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from sqlalchemy import insert

from casewright.audit.entry import AuditEntry
from casewright.contracts.event import EventKind
from casewright.contracts.explanation import SECTIONS, Explanation, Statement
from casewright.contracts.question import Option, RunQuestion
from casewright.questions.store import RunQuestions
from casewright.services import Services
from casewright.storage.run_tables import runs
from graphs.explanation.explain import explain_run
from graphs.explanation.links import ranges, together
from graphs.explanation.markdown import escaped, explanation_markdown
from graphs.records import RunRecords
from tests.support.installation import World

RUN = "run-explained"
CASE = "HL-2026-0001"
QUESTION = "qst-1"


class Told:
    """A run whose records a test writes, and what is explained of it."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.records = RunRecords(services.database, services.clock)

    async def begin(self, **columns: Any) -> None:
        row = {
            "run_id": RUN,
            "tenant": "harborline",
            "case_id": CASE,
            "kind": "review",
            "subject": "rosa",
            "status": "queued",
            "created_ns": 1,
            "updated_ns": 1,
            "report": "",
        }
        async with self.services.database.write() as connection:
            await connection.execute(insert(runs).values(row | columns))

    async def audit(self, kind: EventKind, subject: str = "", **body: Any) -> None:
        entry = AuditEntry(kind=kind, tenant="harborline", subject=subject, run_id=RUN, case_id=CASE, body=body)
        await self.services.audit.append(entry)

    async def explain(self, *, longest_chain: int | None = None) -> Explanation:
        row = await self.records.get("harborline", RUN)
        found = await explain_run(self.services, self.records, row, longest_chain=longest_chain)
        await self.check_links(found)
        return found

    async def check_links(self, found: Explanation) -> None:
        """Every link leads to an event of this run."""
        audited = {event.seq for event in await self.services.audit.events(tenant="harborline", run_id=RUN)}
        noted = {event.seq for event in await self.records.events(RUN)}
        for name in SECTIONS:
            for statement in getattr(found, name):
                for link in statement.events:
                    kind, _, number = link.partition(":")
                    assert int(number) in (audited if kind == "audit" else noted), (name, statement)


def texts(statements: tuple[Statement, ...]) -> list[str]:
    return [statement.text for statement in statements]


@pytest.mark.proves("G2")
async def test_what_people_did_to_an_approval_is_told_in_their_order(world: World) -> None:
    told = Told(world.services)
    await told.begin()
    call = {"arguments": {"action": "deny_claim", "amount_minor": 0, "currency": "USD"}}
    await told.audit(
        "approval.requested", "rosa", approval_id="apr-1", rule={"quorum": 2, "roles": ["a", "b"]}, call=call
    )
    await told.audit("approval.notified", approval_id="apr-1", number=3, recipients=["role:a"], skipped=[1, 2])
    await told.audit("approval.reassigned", "selma", approval_id="apr-1", **{"from": "idris", "to": "", "number": 1})
    await told.audit("approval.escalated", approval_id="apr-1", roles=["b"])
    await told.audit("approval.voted", "selma", approval_id="apr-1", approve=True, state="pending")
    await told.audit("approval.voted", "idris", approval_id="apr-1", approve=False, state="rejected")
    await told.audit("approval.revoked", "rosa", approval_id="apr-2", why="by mistake")
    assert texts((await told.explain()).permission) == [
        "approval apr-1: deny_claim of 0.00 USD was asked for on behalf of rosa; "
        "it needs 2 of a, b, the author excluded",
        "approval apr-1: reminder 3 went to role:a; number 1, 2 came too late and was left out",
        "approval apr-1: selma assigned it to everybody with the role instead of idris",
        "approval apr-1: nobody had decided in time; b may vote as well",
        "approval apr-1: selma approved it; then it was pending",
        "approval apr-1: idris rejected it; then it was rejected",
        "approval apr-2: rosa took it back: by mistake",
    ]


@pytest.mark.proves("G2")
async def test_the_course_tells_parent_pins_steering_questions_and_the_end(world: World) -> None:
    told = Told(world.services)
    await told.begin(parent="run-before", revision=2, pins=json.dumps({"graph": 2, "policy": "a" * 64}))
    await told.audit("run.forked", "rosa", parent="run-before", at="drafter", revision=2)
    world.clock.advance(seconds=1)
    question = RunQuestion(
        question_id=QUESTION,
        tenant="harborline",
        run_id=RUN,
        case_id=CASE,
        kind="loop",
        text="It goes in circles.",
        options=(Option(value="stop", text="Stop here"), Option(value="continue", text="Once more")),
        detail={},
        state="open",
        created_ns=0,
        answer="",
        answered_by="",
        answered_ns=0,
    )
    questions = RunQuestions(world.services.database, world.services.audit, world.clock)
    async with world.services.database.write() as connection:
        await questions.ask(question, connection=connection)
    world.clock.advance(seconds=1)
    by = world.services.identities.find("rosa")
    await questions.answer("harborline", RUN, QUESTION, "stop", by=by)
    world.clock.advance(seconds=1)
    await told.audit("run.steered", "selma", asked="pause", why="until Monday")
    world.clock.advance(seconds=1)
    await told.records.step(RUN, "status", {"status": "paused", "because": "until Monday"})
    world.clock.advance(seconds=1)
    await told.audit("run.ended", "rosa", status="cancelled", because="not needed")
    found = await told.explain()
    assert (found.parent, found.revision) == ("run-before", 2)
    assert texts(found.course) == [
        "it was pinned to graph 2; policy aaaaaaaaaaaa",
        "rosa forked it from run run-before at drafter, as revision 2; no approval came along, what was spent did",
        "it asked a person (loop), to choose of stop, continue: It goes in circles.",
        "rosa answered 'stop'",
        "selma asked for it to pause: until Monday",
        "paused: until Monday",
        "it ended cancelled: not needed",
    ]
    assert texts(found.why) == ["asked “It goes in circles.”, rosa answered “Stop here”"]


async def test_what_no_record_says_is_not_said(world: World) -> None:
    told = Told(world.services)
    await told.begin()
    found = await told.explain()
    assert [name for name in SECTIONS if getattr(found, name)] == []


async def test_a_broken_chain_is_said_and_a_long_one_is_not_checked_in_passing(world: World) -> None:
    told = Told(world.services)
    await told.begin()
    await told.audit("run.started", "rosa")
    length, _ = await world.services.audit.head()
    assert "is intact" in texts((await told.explain(longest_chain=length)).detection)[0]
    assert "was not checked" in texts((await told.explain(longest_chain=length - 1)).detection)[0]
    async with world.services.database.write() as connection:
        await connection.exec_driver_sql("UPDATE audit_events SET subject = 'selma' WHERE run_id = ?", (RUN,))
    assert "is BROKEN" in texts((await told.explain()).detection)[0]


async def test_another_runs_events_explain_nothing_here(world: World) -> None:
    told = Told(world.services)
    await told.begin()
    entry = AuditEntry(kind="run.started", tenant="harborline", subject="rosa", run_id="run-other", body={})
    await world.services.audit.append(entry)
    await world.services.audit.append(
        AuditEntry(kind="run.started", tenant="millbrook", subject="marc", run_id=RUN, body={})
    )
    assert (await told.explain()).course == ()


def test_a_report_in_markdown_keeps_every_statement_and_its_links() -> None:
    said = (
        Statement(text="one *thing*", events=("audit:1", "audit:2")),
        Statement(text="one *thing*", events=("run:1",)),
    )
    empty: dict[str, Any] = dict.fromkeys(SECTIONS, ())
    fields = {"run_id": RUN, "case_id": "", "subject": "rosa", "status": "failed", "parent": "run-1", "revision": 2}
    text = explanation_markdown(Explanation.model_validate({**fields, **empty, "why": said}))
    assert "- one \\*thing\\* (`audit:1-2, run:1`)" in text.splitlines()
    assert "- forked from: run-1, revision 2" in text.splitlines()
    assert text.count("No record says anything.") == len(SECTIONS) - 1
    assert together(said) == {"one *thing*": ("audit:1", "audit:2", "run:1")}


ANY_TEXT = st.text(max_size=60) | st.text(alphabet="\\`*_{}[]()<>#+-!|~&:@.=\"' \n1a/", max_size=30)


@given(ANY_TEXT)
@example("__0__")
def test_no_text_becomes_markup(text: str) -> None:
    """Parsed again, a line is one item of one paragraph with one text, and the text is the record's."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    line = escaped(text)
    tokens = parser.parse(f"- x {line} x\n")
    assert [token.type for token in tokens if token.nesting >= 0] == [
        "bullet_list_open",
        "list_item_open",
        "paragraph_open",
        "inline",
    ]
    (inline,) = (token for token in tokens if token.type == "inline")
    assert {child.type for child in inline.children or []} <= {"text", "text_special"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("www.example.org and https://example.org", "www\\.example\\.org and https\\:/\\/example\\.org"),
        ("<img src=x onerror=alert(1)>", "\\<img src=x onerror=alert\\(1\\)\\>"),
        ("a\u202eb", "a\\[U\\+202E\\]b"),
        ("two\nlines", "two lines"),
        ("HL-2026-0001 of 508.75 USD. Done", "HL-2026-0001 of 508.75 USD. Done"),
    ],
)
def test_addresses_tags_and_hidden_characters_are_shown_as_they_are(text: str, shown: str) -> None:
    assert escaped(text).replace("\\/", "/") == shown.replace("\\/", "/")


def test_neighbours_are_told_as_ranges() -> None:
    assert ranges(("audit:3", "audit:4", "audit:9", "run:1")) == "audit:3-4,9, run:1"


@pytest.mark.proves("G2")
async def test_retries_takeovers_and_changed_versions_are_part_of_the_course(world: World) -> None:
    told = Told(world.services)
    await told.begin()
    happened: tuple[tuple[str, dict[str, object]], ...] = (
        ("step_failed", {"node": "drafter", "error": "StorageError"}),
        ("status", {"status": "queued", "because": "attempt 1 failed, the next is in 5 s: the disk is full"}),
        ("taken_over", {}),
        ("migrated", {"from": 1, "to": 2}),
        ("versions", {"policy": {"pinned": "a" * 64, "now": "b" * 64}}),
        ("versions", {}),
    )
    for kind, body in happened:
        await told.records.step(RUN, kind, body)
        world.clock.advance(seconds=1)
    assert texts((await told.explain()).course) == [
        "its step drafter failed (StorageError)",
        "queued: attempt 1 failed, the next is in 5 s: the disk is full",
        "it was taken over from a process that had died or stood still",
        "its state of version 1 was migrated to version 2",
        "in force is now something else than at its beginning: policy aaaaaaaaaaaa became bbbbbbbbbbbb",
        "the versions of its beginning are in force again",
    ]
