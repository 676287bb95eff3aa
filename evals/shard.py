"""One process of an evaluation: opens a suite once and tries its share of the cases, one JSON line on stdout for each.

Started by `evals.runner` with the document `ShardOrder` on stdin. Whatever else prints goes to stderr.
"""

import asyncio
import logging
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from pydantic import Field

from casewright.contracts.base import Contract
from casewright.contracts.evaluation import CaseResult
from casewright.errors import InputError
from evals.planning import cases_digest, checked
from evals.registry import suite_of
from evals.suite import Attempt, Case, Materials, SuiteUnavailableError

_log = logging.getLogger("casewright.evals")


class ShardOrder(Contract):
    """What one process is to try."""

    suite: str
    enforced: bool
    case_ids: tuple[str, ...]
    cases_digest: str
    """Of these cases as they were planned."""
    installation: str
    work: str
    shared: str
    """Empty: the shared corpora are not on this machine."""
    options: dict[str, str]


class ShardLine(Contract):
    """What the process says: a result, or why it has none."""

    result: CaseResult | None = None
    unavailable: str = Field(default="", description="Why the suite cannot be tried here.")


def run_order(order: ShardOrder) -> None:
    """Try the cases of an order; the process's standard output carries nothing but lines."""
    sys.stdout.flush()
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as lines:
        os.dup2(2, 1)
        asyncio.run(_run(order, lines))


async def _run(order: ShardOrder, lines: TextIO) -> None:
    suite = suite_of(order.suite)
    materials = Materials(
        installation=Path(order.installation),
        work=Path(order.work),
        shared=Path(order.shared) if order.shared else None,
        options=order.options,
    )
    try:
        cases = _chosen(checked(suite, materials), order)
        async with suite.opened(materials, enforced=order.enforced) as attempt:
            for case in cases:
                _say(lines, ShardLine(result=await tried(attempt, case, seconds=suite.case_seconds)))
    except SuiteUnavailableError as error:
        _say(lines, ShardLine(unavailable=str(error)))


def _chosen(cases: Sequence[Case], order: ShardOrder) -> list[Case]:
    """The ordered cases, as they were planned.

    Raises:
        InputError: they say something else now.
    """
    by_id: Mapping[str, Case] = {case.id: case for case in cases}
    chosen = [by_id[case_id] for case_id in order.case_ids if case_id in by_id]
    if cases_digest(chosen) != order.cases_digest:
        raise InputError(f"the cases of {order.suite!r} have changed since they were planned; begin another evaluation")
    return chosen


def _say(lines: TextIO, line: ShardLine) -> None:
    lines.write(line.model_dump_json() + "\n")
    lines.flush()


async def tried(attempt: Attempt, case: Case, *, seconds: float) -> CaseResult:
    """The result of one case within its time; whatever it raises makes it errored."""
    started = time.perf_counter()
    try:
        async with asyncio.timeout(seconds):
            result = await attempt(case)
    except TimeoutError:
        result = _errored(case, f"no result within {seconds:g} seconds")
    except SuiteUnavailableError:
        raise
    except Exception as error:  # noqa: BLE001 the boundary of a case: it is errored, its traceback is in the log
        _log.exception("the case %s could not be tried", case.id)
        result = _errored(case, f"{type(error).__name__}: {error}"[:2_000])
    return result.model_copy(
        update={
            "case_id": case.id,
            "slices": case.slices | result.slices,
            "seconds": round(time.perf_counter() - started, 4),
        }
    )


def _errored(case: Case, happened: str) -> CaseResult:
    return CaseResult(case_id=case.id, verdict="errored", expected="a result", happened=happened)
