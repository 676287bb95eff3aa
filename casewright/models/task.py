"""A named task: everything that is fixed about one kind of model call.

It says what goes in, what comes out, which prompt file instructs the model, what it may spend
and which of its input is untrusted. It is deliberately *not* a call: see `gateway`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from casewright.contracts.base import Contract
from casewright.contracts.case import Classification

TaskRisk = Literal["low", "medium", "high"]
InputT = TypeVar("InputT", bound=Contract)
OutputT = TypeVar("OutputT", bound=Contract)


@dataclass(frozen=True, kw_only=True)
class RankedEvidence(Generic[InputT]):
    """Which part of an input may be sent in part, where all of it is too long for a model."""

    count: Callable[[InputT], int]
    """How many pieces there are."""
    best: Callable[[InputT, int], InputT]
    """The input with only so many of them: those of the highest rank, in their order."""


@dataclass(frozen=True, kw_only=True)
class Task(Generic[InputT, OutputT]):
    """One kind of model call. A change of meaning is a new `version`."""

    name: str
    version: int
    input: type[InputT]
    output: type[OutputT]
    prompt: str
    """File name in the prompts folder."""
    risk: TaskRisk
    max_output_tokens: int
    timeout_seconds: float
    """For the whole task with every provider that is asked: retries, waits and repair rounds included."""
    untrusted_fields: tuple[str, ...]
    """Input fields that hold quoted text: to be read, never obeyed."""
    check: Callable[[InputT, OutputT], tuple[str, ...]]
    """What is wrong with an output for this input, in words a model can act on; empty: nothing."""
    may_degrade: bool
    """True: the offline provider may answer where no model could, and the result says so."""
    data_class: Classification
    """How far its input may travel, at least. What a case is classified as counts where that is more."""
    holds_case: bool
    """True: its input is taken from a case, so the class of the case holds for it, too."""
    personal_data: bool
    """True: its input may tell something about a person."""
    deterministic: bool
    """True: an answer may be given again for exactly the same input."""
    max_cost_micro: int
    """What one request may cost at most, in millionths of the currency of `prices.toml`."""
    max_input_characters: int = 300_000
    """A rendered prompt beyond this is not sent out of the process."""
    evidence: RankedEvidence[InputT] | None = None
    """What is left out first of a prompt that is too long, the lowest rank first; None: it is not sent at all."""
    hidden: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Parts of the input that are not shown to a model, as a pydantic `exclude` mapping."""

    def __post_init__(self) -> None:
        unknown = sorted(set(self.untrusted_fields) - set(self.input.model_fields))
        if unknown:
            raise ValueError(f"task {self.name!r} names untrusted fields {unknown} that its input has not")
