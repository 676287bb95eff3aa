"""Our suites as Inspect AI tasks, for its log viewer: the same cases, tried in the same way. It decides nothing.

Runs in the environment that has Inspect (`scripts/get-evals`), started by `casewright eval inspect`. A sample is a
case, the solver tries it, the scorer tells its result; no model is configured, so Inspect has nobody to ask. What a
gate holds comes from `evals.runner` alone.
"""

import argparse
import asyncio
import importlib
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casewright.contracts.evaluation import CaseResult
from casewright.errors import CasewrightError
from evals.planning import checked, selected
from evals.registry import suite_of
from evals.shard import tried
from evals.suite import Attempt, Case, Materials, Suite

_GRADES = {"passed": "C", "failed": "I", "errored": "N"}
"""Inspect's letters: correct, incorrect, no answer."""
Solve = Callable[[Any, Any], Awaitable[Any]]
Score = Callable[[Any, Any], Awaitable[Any]]


@dataclass(frozen=True, kw_only=True)
class InspectOrder:
    """What is to be shown."""

    suite: Suite
    materials: Materials
    most: int
    """Cases at most; 0: all."""
    enforced: bool
    logs: Path


async def written(order: InspectOrder) -> str:
    """Try the cases under Inspect; gives back the place of its log.

    Raises:
        SuiteUnavailableError: what the suite needs is not here.
        CasewrightError: Inspect could not go through the cases.
    """
    inspect_ai = importlib.import_module("inspect_ai")
    cases = {case.id: case for case in selected(checked(order.suite, order.materials), order.most)}
    async with order.suite.opened(order.materials, enforced=order.enforced) as attempt:
        task = _task(order, list(cases.values()), _solving(cases, attempt, order.suite.case_seconds))
        logs = await inspect_ai.eval_async(
            task,
            model="none",
            log_dir=str(order.logs),
            log_format="eval",
            max_samples=1,
            fail_on_error=False,
            log_model_api=False,
        )
    log = logs[0]
    if log.status != "success":
        raise CasewrightError(f"Inspect ended with {log.status!r}: {log.error}; its log is in {str(order.logs)!r}")
    return str(log.location)


def bundle(logs: Path, folder: Path) -> None:
    """Make the static report: a folder that a browser opens from any web server, with nothing from elsewhere."""
    importlib.import_module("inspect_ai.log").bundle_log_dir(log_dir=str(logs), output_dir=str(folder), overwrite=True)


def _task(order: InspectOrder, cases: Sequence[Case], solve: Solve) -> Any:
    inspect_ai, solvers, scorers = (
        importlib.import_module(name) for name in ("inspect_ai", "inspect_ai.solver", "inspect_ai.scorer")
    )
    metrics: list[Any] = [scorers.accuracy(), scorers.stderr()]

    @solvers.solver(name="the_product")
    def product() -> Solve:
        return solve

    @scorers.scorer(metrics=metrics, name="verdict")
    def verdict() -> Score:
        async def score(state: Any, _target: Any) -> Any:
            return _score(CaseResult.model_validate_json(state.output.completion), scorers.Score)

        return score

    return inspect_ai.Task(
        name=order.suite.name if order.enforced else f"{order.suite.name}-control",
        dataset=[_sample(case) for case in cases],
        solver=product(),
        scorer=verdict(),
        metadata={"title": order.suite.title, "enforced": order.enforced},
    )


def _sample(case: Case) -> Any:
    datasets = importlib.import_module("inspect_ai.dataset")
    return datasets.Sample(
        id=case.id,
        input=_shown(case.given.model_dump(mode="json")),
        target=_shown(case.expected.model_dump(mode="json")),
        metadata={"why": case.why, "forbidden": list(case.forbidden)} | dict(case.slices),
    )


def _solving(cases: dict[str, Case], attempt: Attempt, seconds: float) -> Solve:
    """A solver that tries the sample's case; the result is the output that the scorer reads."""

    async def solve(state: Any, _generate: Any) -> Any:
        models = importlib.import_module("inspect_ai.model")
        result = await tried(attempt, cases[str(state.sample_id)], seconds=seconds)
        state.output = models.ModelOutput.from_content("casewright", result.model_dump_json(indent=1))
        return state

    return solve


def _score(result: CaseResult, made: Callable[..., Any]) -> Any:
    told = [result.happened, result.diagnosis, *result.evidence, result.trace]
    return made(
        value=_GRADES[result.verdict],
        answer=result.happened or result.verdict,
        explanation="\n\n".join(text for text in told if text) or "as expected",
        metadata={"stage": result.stage, "forbidden": list(result.forbidden)} | result.outcomes | result.measures,
    )


def _shown(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1)


def main() -> int:
    """Go through one suite and make its report; the last line of standard output is a document with both places."""
    parser = argparse.ArgumentParser(description="One suite under Inspect AI.")
    parser.add_argument("suite")
    for name in ("--installation", "--work", "--out"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--shared", type=Path)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--control", action="store_true")
    parser.add_argument("--options", default="{}")
    given = parser.parse_args()
    try:
        suite = suite_of(given.suite)
        order = InspectOrder(
            suite=suite,
            materials=Materials(
                installation=given.installation, work=given.work, shared=given.shared, options=json.loads(given.options)
            ),
            most=0 if given.full else suite.fast_cases,
            enforced=not given.control,
            logs=given.out / "logs",
        )
        log = asyncio.run(written(order))
        bundle(order.logs, given.out / "report")
    except CasewrightError as error:
        sys.stdout.write(json.dumps({"problem": str(error)}) + "\n")
        return error.exit_code
    sys.stdout.write(json.dumps({"log": log, "report": str(given.out / "report")}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
