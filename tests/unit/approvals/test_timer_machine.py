"""Whatever people, clocks and machines do, time does each step once, in order, and never too early."""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from casewright.approvals.timers import run_due
from casewright.clock import NANOSECONDS, ManualClock
from casewright.contracts.approval import Approval, Notice
from casewright.contracts.principal import Principal
from casewright.errors import ConflictError, DeniedError
from casewright.storage.database import connect_to_file
from tests.unit.approvals.organisation import AUDREY, BOT, INES, SCHEDULE, TIMED, TOMAS, Organisation
from tests.unit.audit.kernel import HOUR, IDRIS, ROSA, SELMA, START_NS, credit

ResultT = TypeVar("ResultT")
VOTERS = (ROSA, TOMAS, SELMA, IDRIS, INES)
END_NS = START_NS + 24 * HOUR * NANOSECONDS


class Waiting(RuleBasedStateMachine):
    """Two approvals that wait, a clock that runs and jumps, people who assign and vote, machines that stop."""

    home: Path
    """Set by the test: a folder to copy."""
    reached: ClassVar[set[str]] = set()
    """Kinds of notices that any order of events led to."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(tempfile.mkdtemp(prefix="casewright-timers-"))
        self._runner = asyncio.Runner()
        shutil.copytree(self.home, self._folder / "home")
        self.clock = ManualClock(START_NS)
        self.world = Organisation(self._folder / "home", self.clock)
        self.asked: list[str] = []
        self.looked: dict[str, list[int]] = {}
        """When timers looked while the approval was pending."""

    def wait(self, work: Awaitable[ResultT]) -> ResultT:
        async def waited() -> ResultT:
            return await work

        return self._runner.run(waited())

    @initialize()
    def ask(self) -> None:
        for amount in (1, 2):
            asked = self.wait(self.world.asked(credit(arguments={"amount_minor": amount})))
            self.asked.append(asked.approval_id)
            self.looked[asked.approval_id] = []

    @rule(minutes=st.integers(1, 20 * 60))
    def the_clock_is_set_back(self, minutes: int) -> None:
        self.clock.at_ns = max(START_NS, self.clock.at_ns - minutes * 60 * NANOSECONDS)

    @rule(minutes=st.integers(0, 10 * 60))
    def a_machine_looks_later(self, minutes: int) -> None:
        self.clock.advance(seconds=minutes * 60)
        before = {approval.approval_id: approval for approval in self.approvals()}
        sent = self.sent()
        self.wait(run_due(self.world.services))
        assert self.wait(run_due(self.world.services)) == 0
        for approval_id, approval in before.items():
            if approval.state == "pending":
                self.looked[approval_id].append(self.clock.at_ns)
            fresh = {number for number in self.sent()[approval_id] if number not in sent[approval_id]}
            assert len(fresh) <= 1

    @rule()
    def two_machines_look_at_once(self) -> None:
        other = Organisation(self._folder / "home", self.clock)

        async def both() -> None:
            await asyncio.gather(run_due(self.world.services), run_due(other.services))
            await other.services.close()

        before = self.approvals()
        self.wait(both())
        for approval in before:
            if approval.state == "pending":
                self.looked[approval.approval_id].append(self.clock.at_ns)

    @rule()
    def the_machine_starts_anew(self) -> None:
        self.wait(self.world.services.close())
        self.world = Organisation(self._folder / "home", self.clock)

    @rule(which=st.integers(0, 1), voter=st.sampled_from(VOTERS), approve=st.integers(0, 3))
    def somebody_votes(self, which: int, voter: Principal, approve: int) -> None:
        ledger = self.world.services.approvals
        before = self.approvals()[which]
        vote = ledger.vote(self.asked[which], voter=voter, approve=approve > 0, note="")
        allowed = before.state == "pending" and set(voter.roles) & set(before.voting_roles) and voter != ROSA
        try:
            self.wait(vote)
        except DeniedError:
            assert not allowed or voter.id in {earlier.voter for earlier in before.votes}
        else:
            assert allowed

    @rule(which=st.integers(0, 1), by=st.sampled_from(VOTERS), to=st.sampled_from((*VOTERS, AUDREY, BOT)))
    def somebody_assigns(self, which: int, by: Principal, to: Principal) -> None:
        before = self.approvals()[which]
        try:
            assigned = self.wait(self.world.services.approvals.assign(self.asked[which], assignee=to, by=by))
        except (DeniedError, ConflictError):
            return
        assert assigned.assignee == to.id
        assert ROSA.id not in (by.id, to.id)
        assert BOT not in (by, to)
        assert to.id not in {vote.voter for vote in before.votes}

    @invariant()
    def nothing_is_sent_too_early_or_left_out(self) -> None:
        for approval_id, notices in self.rows().items():
            for notice in notices:
                assert notice.at_ns >= notice.due_ns
            if self.looked[approval_id]:
                latest = max(self.looked[approval_id])
                passed = {
                    number
                    for number, reminder in enumerate(SCHEDULE.reminders, start=1)
                    if START_NS + reminder.after_seconds * NANOSECONDS <= latest < END_NS
                }
                done = {notice.number for notice in notices if notice.kind == "reminder"}
                assert passed <= done

    @invariant()
    def nothing_is_sent_twice(self) -> None:
        for notices in self.rows().values():
            keys = Counter((notice.kind, notice.number, notice.recipient) for notice in notices)
            assert all(count == 1 for count in keys.values())
            assert len({notice.number for notice in notices if notice.kind == "escalated"}) <= 1

    @invariant()
    def every_notice_has_its_event_and_every_event_its_notice(self) -> None:
        kinds = ("approval.notified", "approval.reassigned", "approval.escalated", "approval.expired")
        events = Counter((str(event.body["approval_id"]), event.kind) for event in self.wait(self.world.events(*kinds)))
        named = {"reminder": kinds[0], "assigned": kinds[1], "escalated": kinds[2], "expired": kinds[3]}
        told = {
            (approval_id, notice.kind, notice.number)
            for approval_id, notices in self.rows().items()
            for notice in notices
            if not notice.skipped
        }
        assert events == Counter((approval_id, named[kind]) for approval_id, kind, _ in told)

    @invariant()
    def an_escalation_has_its_time_and_an_end_is_an_end(self) -> None:
        for approval in self.approvals():
            due_ns = START_NS + SCHEDULE.escalate_after_seconds * NANOSECONDS
            assert approval.escalated_ns == 0 or approval.escalated_ns >= due_ns
            assert len(approval.votes) <= TIMED.quorum
            if any(notice.kind == "expired" for notice in self.rows()[approval.approval_id]):
                assert approval.state == "expired"

    def approvals(self) -> list[Approval]:
        return [self.wait(self.world.services.approvals.get("harborline", found)) for found in self.asked]

    def sent(self) -> dict[str, set[int]]:
        return {
            approval_id: {notice.number for notice in notices if notice.kind == "reminder" and not notice.skipped}
            for approval_id, notices in self.rows().items()
        }

    def rows(self) -> dict[str, list[Notice]]:
        """Every notice as it is stored, by approval."""
        connection = connect_to_file(self.world.services.settings.database, read_only=True)
        query = (
            "SELECT notice_id, tenant, approval_id, kind, number, recipient, due_ns, at_ns, "
            "json_extract(body, '$.case_id') AS case_id, json_extract(body, '$.skipped') AS skipped FROM notices"
        )
        found: dict[str, list[Notice]] = {approval_id: [] for approval_id in self.asked}
        cursor = connection.execute(query)
        names = [column[0] for column in cursor.description]
        for row in cursor.fetchall():
            values: dict[str, Any] = dict(zip(names, row, strict=True))
            found[values["approval_id"]].append(Notice.model_validate(values | {"skipped": bool(values["skipped"])}))
        connection.close()
        return found

    def teardown(self) -> None:
        self.reached.update(notice.kind for notices in self.rows().values() for notice in notices)
        assert self.wait(self.world.services.audit.verify()).ok
        self.wait(self.world.services.close())
        self._runner.close()
        shutil.rmtree(self._folder)


def explored(home: Path, *, examples: int, steps: int, derandomize: bool = False) -> set[str]:
    """Try orders of events, checked after each; the kinds of notices that were sent or noted on the way."""
    Waiting.home = home
    Waiting.reached.clear()
    checks = [HealthCheck.too_slow]
    run_state_machine_as_test(
        Waiting,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=derandomize,
            deadline=None,
            suppress_health_check=checks,
        ),
    )
    return set(Waiting.reached)


@pytest.mark.proves("E7")
def test_no_order_of_looks_votes_and_clocks_sends_anything_twice_or_too_early(established: Path) -> None:
    assert "reminder" in explored(established, examples=8, steps=14, derandomize=True)


@pytest.mark.thorough
@pytest.mark.timeout(300)
@pytest.mark.proves("E7")
def test_no_long_order_of_looks_votes_and_clocks_sends_anything_twice_or_too_early(established: Path) -> None:
    assert {"reminder", "assigned", "escalated", "expired"} <= explored(established, examples=40, steps=40)
