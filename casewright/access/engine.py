"""The seam between decisions and the engine that evaluates Rego.

An engine answers one rule for one document, or raises; it never answers "allowed". Production:
`EmbeddedEngine` in this process and `OpaEngine` beside it. Tests and offline replays:
`ScriptedEngine`.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from casewright.errors import PolicyError

EngineName = Literal["embedded", "opa"]
_MOST_CHANGES = 100
"""Changes that are kept for whoever records them; a command that records none forgets the oldest."""


class UndefinedRuleError(PolicyError):
    """Mend the policy: the rule has no value for this document, so nothing may be allowed."""


@dataclass(frozen=True, kw_only=True)
class PolicyChange:
    """What one reload did: new policies are in force, or the folder was refused and the old ones stay."""

    kind: Literal["loaded", "refused"]
    revision: str
    """In force from now on."""
    previous: str
    """In force before; the same when the folder was refused."""
    detail: str
    """Why the folder was refused; empty when it was loaded."""


class PolicyEngine(Protocol):
    """Evaluates one rule of the policies in force. Safe to call from several threads."""

    @property
    def name(self) -> EngineName:
        """Which engine it is, as audit, log and `doctor` call it."""
        ...

    @property
    def blocking(self) -> bool:
        """Whether an evaluation waits for another process; an event loop then asks from a worker thread."""
        ...

    @property
    def revision(self) -> str:
        """SHA-256 over the policy files and data in force."""
        ...

    @property
    def last_error(self) -> PolicyError | None:
        """Why the last reload was refused; None: the policies named are in force."""
        ...

    def reload_if_changed(self) -> bool:
        """Put changed policies in force. True: the revision changed. Never raises for a bad folder."""
        ...

    def take_changes(self) -> tuple[PolicyChange, ...]:
        """What reloads did since this was last asked, oldest first; each is given out once per process."""
        ...

    def evaluate(self, rule: str, document: Mapping[str, object]) -> object:
        """Value of `rule` (`casewright.access.decision`) for `document` as its input.

        Raises:
            UndefinedRuleError: the rule has no value.
            PolicyError: the document is refused or the engine failed.
        """
        ...

    def close(self) -> None:
        """Let go of connections and threads; safe to call twice."""
        ...


class ChangeLog:
    """The changes of one engine that nobody has taken yet. Safe to use from several threads."""

    def __init__(self) -> None:
        self._changes: deque[PolicyChange] = deque(maxlen=_MOST_CHANGES)

    def loaded(self, *, revision: str, previous: str) -> None:
        """Note that new policies are in force."""
        self._changes.append(PolicyChange(kind="loaded", revision=revision, previous=previous, detail=""))

    def refused(self, error: PolicyError, *, revision: str) -> None:
        """Note that a folder was refused."""
        self._changes.append(PolicyChange(kind="refused", revision=revision, previous=revision, detail=str(error)))

    def take(self) -> tuple[PolicyChange, ...]:
        """All of them, each handed out once even when several threads ask."""
        taken: list[PolicyChange] = []
        while True:
            try:
                taken.append(self._changes.popleft())
            except IndexError:
                return tuple(taken)
