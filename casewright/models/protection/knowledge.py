"""What protection has to know of a case before anything of it is sent: its class, its people, what is withheld.

It comes from the store of the cases by the run's own tenant and case, never from a request.
`casewright.cases.protected` answers it; models know nothing of where cases are kept.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from casewright.contracts.case import Classification
from casewright.models.layer import CallContext
from casewright.models.protection.known import KnownValue


@dataclass(frozen=True, kw_only=True)
class CaseKnowledge:
    """One state of one case."""

    state: str
    """Names the state: another one has another name."""
    classification: Classification
    sealed: bool
    """The whole matter is sealed."""
    people: tuple[KnownValue, ...]
    """Parties and others who are named, in the order of the case file."""
    texts: tuple[str, ...]
    """Every free text, in the order of the case file: what is personal in one is personal wherever it stands."""
    carries_withheld: Callable[[str], bool] = field(compare=False)
    """Whether a text names or carries evidence that is sealed or restricted."""


class Knowledge(Protocol):
    """Answers for the case of a call."""

    async def of(self, context: CallContext) -> CaseKnowledge | None:
        """What is known of the case that the call is about; None: there is no such case.

        Raises:
            StorageError: it cannot be read, so nothing leaves.
        """
        ...


class NoCases:
    """Knows no case: for calls about none, and for measurements."""

    async def of(self, context: CallContext) -> CaseKnowledge | None:
        return None
