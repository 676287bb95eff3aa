"""A strict scripted engine: answers exactly the steps it was given, in order.

For tests and for replaying recorded decisions. An evaluation that is not the next step fails,
and `finish` fails while steps are left. It is deliberately *not* lenient about anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from casewright.access.engine import PROBED_RULE, EngineName, PolicyChange, PolicyEngine, ReloadCounts
from casewright.errors import PolicyError


@dataclass(frozen=True, kw_only=True)
class ScriptedAnswer:
    """One expected evaluation."""

    rule: str
    value: object = None
    """What the rule answers, unless `error` is set."""
    error: BaseException | None = None
    next_revision: str = ""
    """The revision from this evaluation on; empty: unchanged."""


class ScriptedEngine(PolicyEngine):
    """Answers its steps once each."""

    def __init__(
        self, steps: Sequence[ScriptedAnswer], *, revision: str, name: EngineName = "embedded", blocking: bool = False
    ) -> None:
        self._steps = list(steps)
        self._revision = revision
        self._name: EngineName = name
        self._blocking = blocking

    @property
    def name(self) -> EngineName:
        return self._name

    @property
    def blocking(self) -> bool:
        return self._blocking

    @property
    def revision(self) -> str:
        return self._revision

    @property
    def last_error(self) -> PolicyError | None:
        return None

    def reload_if_changed(self) -> bool:
        """Nothing reloads; `next_revision` of a step changes the revision."""
        return False

    def take_changes(self) -> tuple[PolicyChange, ...]:
        return ()

    @property
    def reloads(self) -> ReloadCounts:
        return ReloadCounts()

    def probe(self) -> str:
        self.evaluate(PROBED_RULE, {})
        return f"scripted, revision {self._revision}"

    def close(self) -> None:
        """Nothing to let go of."""

    def evaluate(self, rule: str, document: Mapping[str, object]) -> object:
        """Answer the next step.

        Raises:
            AssertionError: no step is left or the next step is for another rule.
        """
        if not self._steps:
            raise AssertionError(f"unexpected evaluation of {rule!r}; the script has no steps left")
        step = self._steps.pop(0)
        if step.rule != rule:
            raise AssertionError(f"expected an evaluation of {step.rule!r}, got {rule!r}")
        self._revision = step.next_revision or self._revision
        if step.error is not None:
            raise step.error
        return step.value

    def finish(self) -> None:
        """Fail if steps are left.

        Raises:
            AssertionError: an expected evaluation did not happen.
        """
        if self._steps:
            raise AssertionError(f"{len(self._steps)} scripted evaluations did not happen: {self._steps!r}")
