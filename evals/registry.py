"""Every suite by name; a suite's module is imported when it is asked for."""

import importlib
from typing import cast

from casewright.errors import InputError
from evals.suite import Suite

SUITES: dict[str, str] = {
    # name: module of evals.suites and class; in the order in which a report shows them
    "golden": "golden:Golden",
    "golden-regulations": "golden_regulations:GoldenRegulations",
    "retrieval": "retrieval:Retrieval",
    "retrieval-regulations": "retrieval:RetrievalRegulations",
    "unanswerable": "unanswerable:Unanswerable",
    "dated": "dated:Dated",
    "access": "access:AccessSuite",
    "injection": "injection:Injection",
    "injection-reviews": "injection_reviews:InjectionReviews",
    "approvals": "approvals:ApprovalsSuite",
    "actions": "actions:ActionsSuite",
    "audit-integrity": "audit_integrity:AuditIntegritySuite",
    "trajectories": "trajectories:Trajectories",
    "production": "production:Production",
    "chaos": "chaos:Chaos",
    "reliability": "reliability:Reliability",
    "agentdojo": "agentdojo:AgentDojo",
    "judge": "judge:Calibration",
    "quality": "quality:Quality",
}


def suite_of(name: str) -> Suite:
    """A suite.

    Raises:
        InputError: there is none of this name.
    """
    if name not in SUITES:
        raise InputError(f"there is no suite {name!r}; there are {', '.join(SUITES)}")
    module, _, made = SUITES[name].partition(":")
    return cast("Suite", getattr(importlib.import_module(f"evals.suites.{module}"), made)())


def suites_of(names: tuple[str, ...]) -> tuple[Suite, ...]:
    """The named suites in the registry's order; all where none is named.

    Raises:
        InputError: there is none of a name.
    """
    wanted = {suite_of(name).name for name in names} or set(SUITES)
    return tuple(suite_of(name) for name in SUITES if name in wanted)
