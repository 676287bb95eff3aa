"""Tries a few cases of a suite in this process, on the installation of the session."""

from collections.abc import Callable, Sequence
from pathlib import Path

from casewright.contracts.evaluation import CaseResult
from evals.planning import checked
from evals.shard import tried
from evals.suite import Case, Materials, Suite


def materials(installation: Path, work: Path) -> Materials:
    """What a shard would be given, without the shared corpora."""
    work.mkdir(parents=True, exist_ok=True)
    return Materials(installation=installation, work=work, shared=None)


async def attempted(
    suite: Suite, given: Materials, chosen: Callable[[Case], bool], *, enforced: bool = True
) -> dict[str, CaseResult]:
    """The results of the chosen cases by id; at least one has to be chosen, and none may be errored."""
    cases: Sequence[Case] = [case for case in checked(suite, given) if chosen(case)]
    assert cases, "no case was chosen"
    async with suite.opened(given, enforced=enforced) as attempt:
        results = {case.id: await tried(attempt, case, seconds=suite.case_seconds) for case in cases}
    assert [result for result in results.values() if result.verdict == "errored"] == []
    return results
