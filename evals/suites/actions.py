"""Generated tool calls: ten thousand, with every kind of token, through the real guards, and what holds after them.

A case is a batch of one seed on an installation of its own: about a hundred calls that fit, nearly fit or are hostile,
with people who vote and time that passes among them, so that some executions are rightly approved. What counts is read
from the stores and the audit after it.
"""

import sqlite3
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from mcp.shared.exceptions import MCPError

from casewright.clock import ManualClock
from casewright.contracts.base import Contract
from casewright.contracts.evaluation import CaseResult
from casewright.errors import CasewrightError
from evals.access.drafts import DRAFT_RUN, SavedDraft, said, saved_draft
from evals.access.generating import FILE, Generated, Generator, HostileValue, Move, Pause, Vote
from evals.access.invariants import Findings, Made, call_findings, store_findings, stored_events
from evals.access.oracle import tools
from evals.access.visits import expected, token_of
from evals.case import EvalCase
from evals.datasets import read_lines
from evals.suite import Attempt, Case, Materials
from evals.unenforced import opened_careless
from evals.world import NOW_NS, POLICIES, ServerWorld, copied, opened_servers
from servers.approving import Approving
from servers.guard import HIDDEN

BATCHES = 100
CALLS = 100
FAST = 10
FIRST_SEED = 20_261_121
INVARIANTS = ("executed", "unaudited", "unlawful", "leaked", "outdated")
WHY = "Nobody thinks of every call: a batch of generated ones tries what the lists of attacks leave out."


class Batch(Contract):
    """Which calls are generated."""

    seed: int
    calls: int


class Nothing(Contract):
    """How many invariants may break."""

    broken: int = 0


class ActionsSuite:
    """Batches of generated calls."""

    name = "actions"
    title = "Ten thousand generated calls execute nothing without its allow and its approval"
    files: Mapping[str, type[Contract]] = {FILE: HostileValue}
    fast_cases = FAST
    shards = 2
    case_seconds = 60.0
    has_control = True

    def cases(self, materials: Materials) -> Sequence[Case]:
        """One case for each seed."""
        read_lines(FILE, HostileValue)
        return [
            EvalCase[Batch, Nothing](
                id=f"batch/{number:03}",
                why=WHY,
                given=Batch(seed=FIRST_SEED + number, calls=CALLS),
                expected=Nothing(),
                forbidden=INVARIANTS,
            )
            for number in range(BATCHES)
        ]

    @asynccontextmanager
    async def opened(self, materials: Materials, *, enforced: bool) -> AsyncGenerator[Attempt, None]:
        """An installation with a draft, copied for each batch."""
        prepared = copied(materials.installation, materials.work / "prepared")
        async with opened_servers(prepared) as world:
            draft = await saved_draft(world)
        open_world = opened_servers if enforced else opened_careless

        async def attempt(case: Case) -> CaseResult:
            home = copied(prepared, materials.work / case.id.replace("/", "-"))
            clock = ManualClock(NOW_NS)
            async with open_world(home, policies=POLICIES, clock=clock) as world:
                run = BatchRun(world, clock, draft)
                await run.play(case.given)
                sound = (await world.services.audit.verify()).ok
                run.findings.add("unaudited", iter(() if sound else ("the audit does not verify",)))
            return judged(case, run, f"casewright --home {home} audit verify")

        yield attempt


class BatchRun:
    """One batch on one installation, and what was found."""

    def __init__(self, world: ServerWorld, clock: ManualClock, draft: SavedDraft) -> None:
        self.findings = Findings()
        self.counts: Counter[str] = Counter()
        self._world = world
        self._clock = clock
        self._generator = Generator(world, draft.values(), draft.action())

    @property
    def _database(self) -> Path:
        return self._world.services.settings.database

    async def play(self, batch: Batch) -> None:
        """Make every move, check every call, then what the stores hold."""
        for number, move in enumerate(self._generator.batch(batch.seed, batch.calls)):
            await self._move(move, f"run-{number}")
        supervisors = frozenset(one.id for one in self._world.services.identities.people if "supervisor" in one.roles)
        self._collect(store_findings(self._database, supervisors))
        with closing(sqlite3.connect(self._database)) as connection:
            kinds = Counter(event.kind for event in stored_events(connection))
        self.counts["effects"] = kinds["effect.executed"]
        self.counts["votes"] = kinds["approval.voted"]

    async def _move(self, move: Move, run_id: str) -> None:
        match move:
            case Pause(hours=hours):
                self._clock.advance(seconds=hours * 3_600)
            case Vote():
                await self._vote(move)
            case Generated():
                made = await self._made(move, run_id)
                self.counts["calls"] += 1
                self.counts["answered"] += made.answered
                self._collect(call_findings(made))

    async def _vote(self, vote: Vote) -> None:
        """A decision on the newest open approval of the case, if there is one."""
        services = self._world.services
        waiting = await services.approvals.list("harborline", state="pending")
        if not waiting:
            return
        door = Approving(services, services.identities.find(vote.identity), session="eval")
        try:
            await door.vote(waiting[0].approval_id, approve=vote.approve, note="")
        except CasewrightError:
            return

    async def _made(self, call: Generated, run_id: str) -> Made:
        tool = (call.server, call.tool)
        known = tool in tools()
        drafts = known and tools()[tool].kind in ("draft", "action")
        run = DRAFT_RUN if drafts and call.visit.agent else run_id
        oracle = await expected(self._world, tool, call.visit) if known else ""
        with closing(sqlite3.connect(self._database)) as connection:
            (after,) = connection.execute("SELECT coalesce(max(seq), 0) FROM audit_events").fetchone()
            token = token_of(self._world, call.server, call.tool, call.visit, run)
            answered, text, document = False, "", dict[str, Any]()
            async with self._world.client(call.server, token) as client:
                try:
                    result = await client.call_tool(call.tool, call.arguments)
                    answered = not result.is_error and HIDDEN not in said(result)
                    text = said(result) if result.is_error else ""
                    document = result.structured_content or dict[str, Any]()
                except MCPError as error:
                    text = str(error)
            events = tuple(stored_events(connection, after))
        return Made(call=call, answered=answered, said=text, document=document, events=events, oracle=oracle)

    def _collect(self, findings: Findings) -> None:
        for name, words in findings.by_name.items():
            self.findings.add(name, iter(words))


def judged(case: Case, run: BatchRun, trace: str) -> CaseResult:
    """The result of a batch: an outcome for each invariant, true where it was broken."""
    broken = run.findings.by_name
    wrong = [f"{name}: {words}" for name in INVARIANTS for words in broken.get(name, [])]
    stages = {"executed": "effect", "unaudited": "audit", "unlawful": "access", "leaked": "access"}
    stage = next((stages.get(name, "retrieval") for name in INVARIANTS if name in broken), "")
    return CaseResult.model_validate(
        {
            "case_id": case.id,
            "verdict": "failed" if wrong else "passed",
            "expected": "nothing executed without its allow and approval, every call audited, nothing leaked",
            "happened": wrong[0] if wrong else "",
            "forbidden": tuple(name for name in INVARIANTS if name in broken),
            "stage": stage,
            "diagnosis": f"{len(wrong)} findings in {run.counts['calls']} calls" if wrong else "",
            "evidence": tuple(wrong[1:21]),
            "trace": trace if wrong else "",
            "outcomes": {name: name in broken for name in INVARIANTS},
            "measures": {name: float(run.counts[name]) for name in ("calls", "answered", "effects", "votes")},
        }
    )
