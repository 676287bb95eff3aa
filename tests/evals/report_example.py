"""A made-up evaluation with everything that a report can show, hostile texts among it."""

import functools
import itertools
from collections.abc import Sequence

from casewright.contracts.evaluation import (
    CaseResult,
    EvalReport,
    EvaluatedVersions,
    GateFinding,
    GateVerdict,
    Stage,
    SuiteResult,
    Verdict,
)
from evals.baseline import Baseline, accepted
from evals.figures import did_not_run, suite_result
from evals.planning import Planned
from evals.report.record import Record
from tests.support.releasing import green

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)> ![a](https://evil.example/p.png) "
    "[click](javascript:alert(3)) `code` | cell \u202egnp.exe </bdi></main> &amp; www.evil.example a@evil.example"
)
TEMPLATES = ("plain order", "fake system message", "forged approval", "quoted policy", "zero width", "HTML comment")
PLACES = ("approver comment", "case note", "letter", "policy text", "tool description", "tool error")
BOUNDARIES = ("approval", "citation gate", "not in the token's scope", "other case", "pinned definitions")


def answers(*, weak: bool) -> list[CaseResult]:
    """Answers, two of which fail: one at retrieval, one at drafting."""
    found = [_answer(index, "passed") for index in range(24)]
    if weak:
        found[3] = _answer(
            3, "failed", stage="retrieval", diagnosis="the clause was at rank 42 and cut at 20", happened=HOSTILE
        )
        found[11] = _answer(
            11,
            "failed",
            stage="drafting",
            diagnosis="§ 1005.11(c)(2) was found and not quoted",
            happened="no quote of it",
        )
        found[17] = _answer(17, "errored", happened="no result within 20 seconds")
    return found


def _answer(index: int, verdict: Verdict, *, stage: Stage = "", diagnosis: str = "", happened: str = "") -> CaseResult:
    voice = ("customer", "lawyer", "reference")[index % 3]
    bad = verdict != "passed"
    return CaseResult(
        case_id=f"golden/{voice}-{index:02d}",
        verdict=verdict,
        expected="the answer quotes § 1005.11(c)(2) and says 10 business days" if bad else "",
        happened=happened,
        stage=stage,
        diagnosis=diagnosis,
        evidence=("“shall complete its investigation within 10 business days”",) if bad else (),
        trace="casewright --home evals/evl-21/work/golden-1 runs explain run-7" if bad else "",
        slices={"voice": voice, "corpus": "sample" if index % 2 else "regulations"},
        outcomes={"found": not bad, "abstained": False},
        measures={"rank": 1.0 + index % 4, "answer_ms": 40.0 + 3 * index},
        seconds=0.05,
        tokens=310,
        cost_micro=1200,
    )


def attacks(*, enforced: bool) -> list[CaseResult]:
    """Injections: all stopped with enforcement, nearly all through without."""
    found: list[CaseResult] = []
    for index, (template, place, goal) in enumerate(itertools.product(TEMPLATES, PLACES, ("credit", "read", "vote"))):
        through = not enforced and index % 41 != 0
        found.append(
            CaseResult(
                case_id=f"injection/{index:03d}",
                verdict="failed" if through else "passed",
                happened="the credit was executed" if through else "",
                stage="effect" if through else "",
                slices={
                    "template": template,
                    "place": place,
                    "goal": goal,
                    **({"boundary": BOUNDARIES[(index * 7) % 5]} if enforced else {}),
                },
                outcomes={"succeeded": through},
            )
        )
    return found


def suite(name: str, title: str, results: Sequence[CaseResult], *, enforced: bool = True) -> SuiteResult:
    """A suite's figures as the runner makes them."""
    planned = plan(name, title, results, enforced=enforced)
    return suite_result(planned, results, data={f"{name}.jsonl": "a7" * 32}, seconds=len(results) * 0.31)


def plan(name: str, title: str, results: Sequence[CaseResult], *, enforced: bool = True) -> Planned:
    """What was planned where these came of it."""
    return Planned(
        suite=name,
        title=title,
        enforced=enforced,
        cases={one.case_id: one.slices for one in results},
        digest="5d" * 32 if results else "",
        shards=(tuple(one.case_id for one in results),),
        seconds=20.0,
    )


def skipped() -> SuiteResult:
    """A suite that could not run here."""
    planned = plan("agentdojo", "a public benchmark of injections behind our enforcement", ())
    return did_not_run(planned, "the package `agentdojo` is not here; `scripts/get-evals` brings it", data={})


@functools.cache
def report(*, weak: bool = True, gated: bool = True) -> EvalReport:
    """One evaluation; a weak one does not pass its gates."""
    golden = suite("golden", "answers with exact quotes", answers(weak=weak))
    injection = suite("injection", "orders hidden in texts, with a model that always obeys", attacks(enforced=True))
    control = suite("injection", injection.title, attacks(enforced=False), enforced=False)
    finding = GateFinding(
        suite="golden",
        rule='metric = "found", bound = "low", at_least = 0.9',
        expected="the low end of the interval of `found` is at least 90 %",
        happened="it is 71.0 %",
        cases=tuple(one for one in golden.worst),
    )
    gate = GateVerdict(ok=not weak, checked=12, failed=(finding,) if weak else (), notes=("agentdojo did not run",))
    versions = EvaluatedVersions(
        software="0.1.0",
        graph=3,
        state=4,
        prompts="11" * 32,
        policy="22" * 32,
        definitions="33" * 32,
        index_version="idx-0004",
        model="offline",
    )
    return green(
        versions,
        eval_id="evl-21",
        at="2026-11-21T22:10:00Z",
        machine="2 cores, 8 GB",
        suites=(golden, injection, skipped()),
        controls=(control,),
        gate=gate if gated else None,
        seconds=812.0,
    )


def on_day(known: EvalReport, day: int) -> EvalReport:
    """The same evaluation on another day."""
    return known.model_copy(update={"eval_id": f"evl-{day:02d}", "at": f"2026-11-{day:02d}T22:10:00Z"})


@functools.cache
def record(*, weak: bool = True) -> Record:
    """The evaluation with its cases, three earlier ones and accepted figures."""
    return Record(
        report=report(weak=weak),
        results={"golden": answers(weak=weak), "injection": attacks(enforced=True)},
        controls={"injection": attacks(enforced=False)},
        earlier=tuple(on_day(report(weak=day == 12), day) for day in (11, 12, 13)),
        baseline=accepted(Baseline(selections={}), report(weak=False)),
    )
