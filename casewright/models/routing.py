"""Which providers a task is asked of, in which order: the tier of its risk, and the offline provider where it may be.

The order is the installation's (see `casewright.models.model_settings`); a task says only its risk, and whether the
offline provider may answer where no model could.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from casewright.errors import InputError
from casewright.models.provider import Provider
from casewright.models.task import Task, TaskRisk

RISKS: tuple[TaskRisk, ...] = get_args(TaskRisk)


@dataclass(frozen=True)
class Routes:
    """The order of providers for each risk, the best one first."""

    by_risk: Mapping[TaskRisk, tuple[Provider, ...]]

    def of(self, task: Task[Any, Any]) -> tuple[Provider, ...]:
        """Whom to ask. After a model, one in this process is asked only where the task permits it."""
        first, *others = self.by_risk[task.risk]
        return (first, *(one for one in others if task.may_degrade or one.capabilities.leaves_process))

    @property
    def providers(self) -> tuple[Provider, ...]:
        """Each of them once."""
        return tuple({id(one): one for order in self.by_risk.values() for one in order}.values())


def routes(providers: Sequence[Provider] | Mapping[TaskRisk, Sequence[Provider]]) -> Routes:
    """One order for every risk, or one for each.

    Raises:
        InputError: there is no provider for a risk.
    """
    given = providers if isinstance(providers, Mapping) else dict.fromkeys(RISKS, providers)
    empty = [risk for risk in RISKS if not given.get(risk)]
    if empty:
        raise InputError(f"the model gateway has no provider for {empty[0]!r} risk; give it at least the offline one")
    return Routes({risk: tuple(given[risk]) for risk in RISKS})
