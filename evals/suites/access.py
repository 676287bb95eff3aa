"""Access: every decision on role, tool, case, actor and token against an oracle, and calls that really were answered.

A case of the first kind is one tool and role with all combinations inside, decided by the policies; one of the second
kind is one tool, called over a real client of its server by everybody there is.
"""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from casewright.contracts.base import Contract
from casewright.contracts.evaluation import CaseResult
from evals.access.drafts import SavedDraft, saved_draft
from evals.access.matrix import Compared, compared
from evals.access.oracle import AGENT_FILE, ROLES, TOOL_FILE, AgentRule, ToolRule, agents
from evals.access.visits import SEALED_CASE, Visit, Visited, expected, visited, visits
from evals.case import EvalCase
from evals.datasets import read_lines
from evals.suite import Attempt, Case, Materials
from evals.unenforced import opened_unenforced
from evals.world import POLICIES, ServerWorld, copied, opened_servers

NOBODY = "nobody"
EXPECTED = "nothing is allowed that the rules deny, and nothing denied that they allow"


class Row(Contract):
    """One tool, for one role (decided) or for everybody (called)."""

    tool: ToolRule
    role: str
    """Empty: nobody's; of a tool that is called, `everybody`."""
    called: bool


class Agreement(Contract):
    """How many combinations may go wrong in either direction."""

    false_allows: int = 0
    false_denials: int = 0


class AccessSuite:
    """The access matrix, decided and called."""

    name = "access"
    title = "Who may do what: no false allow, no false denial"
    files: Mapping[str, type[Contract]] = {TOOL_FILE: ToolRule, AGENT_FILE: AgentRule}
    fast_cases = 40
    shards = 2
    case_seconds = 60.0
    has_control = True

    def __init__(self, policies: Path = POLICIES) -> None:
        self._policies = policies

    def cases(self, materials: Materials) -> Sequence[Case]:
        """Every tool for every role, then every tool that a server has."""
        rules = read_lines(TOOL_FILE, ToolRule)
        agents()
        decided = [_case(rule, role, called=False) for rule in rules for role in ROLES]
        real = [rule for rule in rules if rule.key[0] != "admin" and rule.roles]
        return [*decided, *(_case(rule, "everybody", called=True) for rule in real)]

    @asynccontextmanager
    async def opened(self, materials: Materials, *, enforced: bool) -> AsyncGenerator[Attempt, None]:
        """An installation with a draft and a sealed matter, and its servers."""
        home = copied(materials.installation, materials.work / "home")
        open_world = opened_servers if enforced else opened_unenforced
        async with open_world(home, policies=self._policies) as world:
            yield await _Attempts.prepared(world, home, self._policies)


class _Attempts:
    """What one shard tries its cases on."""

    def __init__(self, world: ServerWorld, home: Path, policies: Path, draft: SavedDraft) -> None:
        self._world = world
        self._home = home
        self._policies = policies
        self._values = draft.values()

    @classmethod
    async def prepared(cls, world: ServerWorld, home: Path, policies: Path) -> Attempt:
        stored = await world.services.cases.load("harborline", SEALED_CASE)
        if stored is None:
            raise RuntimeError(f"the sample organisation has no case {SEALED_CASE!r} to seal")
        sealed = stored.case.model_copy(update={"sealed": True})
        await world.services.cases.import_cases([sealed], importer=world.services.identities.find("selma"))
        return cls(world, home, policies, await saved_draft(world)).attempt

    async def attempt(self, case: Case) -> CaseResult:
        row: Row = case.given
        return await self._called(case) if row.called else self._decided(case)

    def _decided(self, case: Case) -> CaseResult:
        row: Row = case.given
        found = compared(self._world.services.engine, row.tool.key, row.role)
        trace = ""
        if found.first_document:
            path = self._home.parent / f"{case.id.replace('/', '-')}.json"
            path.write_text(json.dumps(found.first_document), encoding="utf-8")
            trace = f"casewright --home {self._home} policy explain {path} --policies {self._policies}"
        return judged(case, found, trace)

    async def _called(self, case: Case) -> CaseResult:
        tool: ToolRule = case.given.tool
        sent = filled(tool.arguments, self._values)
        allows, denials, count = list[str](), list[str](), 0
        for visit in visits():
            wanted = await expected(self._world, tool.key, visit)
            seen = await visited(self._world, tool.key, visit, sent)
            count += 1
            if wrong := misjudged(tool, wanted, seen):
                told = f"{visit.words()}: {wrong}; the rules say {wanted} ({seen.code or 'no code'})"
                (allows if wanted == "deny" else denials).append(told)
        effects = await self._world.effects("harborline", Visit(identity="rosa").case_id)
        allows += [f"executed without an approval: {effect}" for effect in effects]
        found = Compared(combinations=count, false_allows=tuple(allows), false_denials=tuple(denials))
        return judged(case, found, f"casewright --home {self._home} audit verify")


def judged(case: Case, found: Compared, trace: str) -> CaseResult:
    """The result of a row; the first wrong combination is said in words, up to twenty more are evidence."""
    wrong = (*found.false_allows, *found.false_denials)
    kinds = {"false_allow": bool(found.false_allows), "false_deny": bool(found.false_denials)}
    return CaseResult(
        case_id=case.id,
        verdict="failed" if wrong else "passed",
        expected=EXPECTED,
        happened=wrong[0] if wrong else "",
        forbidden=tuple(name for name, seen in kinds.items() if seen),
        stage="access" if wrong else "",
        diagnosis=f"{len(wrong)} of {found.combinations} combinations differ from the rules" if wrong else "",
        evidence=wrong[1:21],
        trace=trace if wrong else "",
        outcomes=kinds,
        measures={"combinations": float(found.combinations)},
    )


def misjudged(tool: ToolRule, wanted: str, seen: Visited) -> str:
    """What is wrong with a call, in words; empty: nothing.

    The review server asks a second time for the person's own permission, so that what its guard let through may still
    read as absent.
    """
    if wanted == "deny":
        return "the guard let it through" if seen.allowed else "it was answered" if seen.answered else ""
    if not seen.allowed:
        return "the guard denied it"
    return "" if seen.answered or tool.key[0] == "review" else "it was refused after the guard had let it through"


def filled(arguments: Any, values: Mapping[str, Any]) -> Any:
    """Arguments with what the world knows in the place of each `@name`."""
    if isinstance(arguments, dict):
        return {name: filled(value, values) for name, value in arguments.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(arguments, list):
        return [filled(value, values) for value in arguments]  # pyright: ignore[reportUnknownVariableType]
    return values[arguments[1:]] if isinstance(arguments, str) and arguments.startswith("@") else arguments


def _case(rule: ToolRule, role: str, *, called: bool) -> Case:
    server = rule.key[0]
    return EvalCase[Row, Agreement](
        id=f"{'called' if called else 'decided'}/{rule.id}/{role or NOBODY}",
        why=rule.why,
        given=Row(tool=rule, role=role, called=called),
        expected=Agreement(),
        forbidden=("false_allow", "false_deny"),
        slices={"level": "called" if called else "decided", "server": server, "role": role or NOBODY},
    )
