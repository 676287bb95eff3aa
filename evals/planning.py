"""Which cases of a suite are tried, and in which process."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from casewright.canonical import digest
from casewright.contracts.evaluation import Selection
from casewright.errors import InputError
from evals.suite import Case, Materials, Suite


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What is to be tried of one suite."""

    suite: str
    title: str
    enforced: bool
    cases: Mapping[str, dict[str, str]]
    """Ids in their order, each with its slices."""
    digest: str
    shards: tuple[tuple[str, ...], ...]
    """The ids for each process."""
    seconds: float
    """For one case, before it counts as errored."""
    digests: Mapping[str, str] = field(default_factory=dict[str, str])
    """By id, of everything that the case says: a process tries it only as it was planned."""

    def digest_of(self, case_ids: Sequence[str]) -> str:
        """What `cases_digest` gives for some of the cases, in this order."""
        return digest([self.digests[case_id] for case_id in case_ids])


def planned(suite: Suite, materials: Materials, selection: Selection, *, enforced: bool) -> Planned:
    """The plan of a suite.

    Raises:
        SuiteUnavailableError: what it needs is not here.
        InputError: its data are wrong, or two cases have one id.
    """
    chosen = selected(checked(suite, materials), 0 if selection == "full" else suite.fast_cases)
    shards = [tuple(case.id for case in chosen[start :: suite.shards]) for start in range(suite.shards)]
    return Planned(
        suite=suite.name,
        title=suite.title,
        enforced=enforced,
        cases={case.id: case.slices for case in chosen},
        digest=cases_digest(chosen),
        shards=tuple(shard for shard in shards if shard),
        seconds=suite.case_seconds,
        digests={case.id: _digest(case) for case in chosen},
    )


def checked(suite: Suite, materials: Materials) -> Sequence[Case]:
    """Every case of a suite.

    Raises:
        InputError: it has none, or two have one id.
    """
    cases = suite.cases(materials)
    if not cases or len({case.id for case in cases}) != len(cases):
        raise InputError(f"the suite {suite.name!r} needs cases, each with an id of its own; mend its data")
    return cases


def selected(cases: Sequence[Case], most: int) -> Sequence[Case]:
    """At most so many cases, spread over their slices, in their order; 0 means all.

    Every combination of slices gives one case in turn, each combination in the order of a hash of the ids: the same
    cases every time, and a new case changes the selection in one place.
    """
    if not most or len(cases) <= most:
        return cases
    groups: dict[tuple[tuple[str, str], ...], list[Case]] = defaultdict(list)
    for case in cases:
        groups[tuple(sorted(case.slices.items()))].append(case)
    queues = sorted((sorted(group, key=_rank) for group in groups.values()), key=lambda group: _rank(group[0]))
    taken: set[str] = set()
    for turn in range(max(len(queue) for queue in queues)):
        for queue in queues:
            if turn < len(queue) and len(taken) < most:
                taken.add(queue[turn].id)
    return [case for case in cases if case.id in taken]


def cases_digest(cases: Sequence[Case]) -> str:
    """SHA-256 over everything that the cases say."""
    return digest([_digest(case) for case in cases])


def _digest(case: Case) -> str:
    return hashlib.sha256(case.model_dump_json().encode()).hexdigest()


def _rank(case: Case) -> str:
    return hashlib.sha256(case.id.encode()).hexdigest()
