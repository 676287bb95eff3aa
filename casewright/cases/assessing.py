"""The newest assessments, kept: in one review the same case is assessed half a dozen times.

An assessment follows from the case as it is seen, the day and the policy, so these are what it is kept under. An engine
of another process may have changed its policy unnoticed; what it says is not kept.
"""

import datetime as dt
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING

import anyio.to_thread

from casewright.access.engine import PolicyEngine
from casewright.clock import Clock, today
from casewright.contracts.case import CaseFile

if TYPE_CHECKING:  # the rules' machinery is imported when a case is assessed
    from casewright.contracts.recommendation import CaseAssessment

MOST_KEPT = 64
_Key = tuple[str, dt.date, CaseFile]


class Assessments:
    """Assesses cases by one engine; for one event loop at a time."""

    def __init__(self, engine: PolicyEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._kept: OrderedDict[_Key, CaseAssessment] = OrderedDict()

    async def of(self, case: CaseFile) -> "CaseAssessment":
        """The assessment of a case as of today; see `casewright.cases.assessment.assess`.

        Raises:
            PolicyError, UnavailableError: as there.
        """
        from casewright.cases.assessment import assess

        on = today(self._clock)
        assessing = partial(assess, case, engine=self._engine, today=on)
        if self._engine.blocking:
            return await anyio.to_thread.run_sync(assessing)
        known = self._kept.get((self._engine.revision, on, case))
        if known is None:
            known = assessing()
            self._kept[known.policy_revision, on, case] = known
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return known
