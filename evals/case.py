"""One case of a suite: what is given, what is to come of it, what must not, and why the case exists."""

from typing import Annotated, Generic, TypeVar

from pydantic import Field

from casewright.contracts.base import Contract

Given = TypeVar("Given", bound=Contract)
Expected = TypeVar("Expected", bound=Contract)
CaseId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}$")]


class EvalCase(Contract, Generic[Given, Expected]):
    """A line of a data set, or a case that a suite enumerates."""

    id: CaseId
    """Unique in its suite; results, baselines and reports name it."""
    why: Annotated[str, Field(min_length=10)]
    """Why the case exists: the risk, the defect or the request behind it."""
    given: Given
    expected: Expected
    forbidden: tuple[str, ...] = ()
    """Names of outcomes, as the suite knows them, none of which may be seen."""
    slices: dict[str, str] = Field(default_factory=dict[str, str])
    """By what it is counted apart, such as `voice: customer`."""
