"""What a suite is to the runner: its data, its cases, and a way to try one on real parts.

A suite opens whatever it needs (an installation, servers, an index) once for each shard and then tries case after case.
With `enforced=False` it opens the same thing without the boundary under test: the positive control, in which the
attacks have to succeed, or the suite proves nothing. Nothing outside `evals` can build such a world.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from casewright.contracts.base import Contract
from casewright.contracts.evaluation import CaseResult
from casewright.errors import CasewrightError
from evals.case import EvalCase

Case = EvalCase[Any, Any]
Attempt = Callable[[Case], Awaitable[CaseResult]]
"""Tries one case. An exception is an errored case; the runner catches, names and bounds it."""
DATASETS = Path(__file__).resolve().parent / "datasets"


class SuiteUnavailableError(CasewrightError):
    """Something that a suite needs is not on this machine; the message says what, and how to get it."""


@dataclass(frozen=True, kw_only=True)
class Materials:
    """What a shard works with."""

    installation: Path
    """A prepared data folder of the sample organisation; to be copied (`evals.world.copied`), never written to."""
    work: Path
    """An empty folder of this shard alone. What a result's `trace` names stands in it; kept if a case fails."""
    shared: Path | None
    """The shared corpora; None: they are not on this machine."""
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    """Options of `casewright eval run -o name=value`, such as the model of a run with a provider."""

    def corpora(self) -> Path:
        """The shared corpora.

        Raises:
            SuiteUnavailableError: they are not here.
        """
        if self.shared is None:
            raise SuiteUnavailableError(
                "the shared corpora are not on this machine; name their folder with CASEWRIGHT_SHARED"
            )
        return self.shared


class Suite(Protocol):
    """One suite; see `evals.registry` for the list."""

    @property
    def name(self) -> str:
        """Short, with dashes; also the key in `gates.toml`."""
        ...

    @property
    def title(self) -> str:
        """What it shows, as a phrase for the report."""
        ...

    @property
    def files(self) -> Mapping[str, type[Contract]]:
        """Its data files in `evals/datasets/`, each with the model of a line."""
        ...

    @property
    def fast_cases(self) -> int:
        """How many of the cases the fast selection takes, spread over the slices; 0: all of them."""
        ...

    @property
    def shards(self) -> int:
        """Into how many processes its cases may be split; 1 where they share what they open."""
        ...

    @property
    def case_seconds(self) -> float:
        """After which a case counts as errored."""
        ...

    @property
    def has_control(self) -> bool:
        """Whether it can be opened without enforcement."""
        ...

    def cases(self, materials: Materials) -> Sequence[Case]:
        """Every case, in an order that does not change.

        Raises:
            SuiteUnavailableError: what it needs is not here.
            InputError: a data file is wrong.
        """
        ...

    def opened(self, materials: Materials, *, enforced: bool) -> AbstractAsyncContextManager[Attempt]:
        """What tries its cases.

        Raises:
            SuiteUnavailableError: what it needs is not here.
        """
        ...
