"""The seam between decisions and the engine that evaluates Rego.

An engine answers one rule for one document, or raises; it never answers "allowed". Production:
`EmbeddedEngine` in this process and `OpaEngine` beside it. Tests and offline replays:
`ScriptedEngine`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from casewright.errors import PolicyError

EngineName = Literal["embedded", "opa"]
PROBED_RULE = "casewright.access.decision"
"""Has a value for every document, so that an engine can be probed with an empty one."""


class UndefinedRuleError(PolicyError):
    """Mend the policy: the rule has no value for this document, so nothing may be allowed."""


@dataclass(frozen=True, kw_only=True)
class PolicyChange:
    """What one reload did: new policies are in force, or the folder was refused and the old ones stay."""

    kind: Literal["loaded", "refused"]
    revision: str
    """In force from now on."""
    previous: str
    """In force before; the same when the folder was refused, or mended without any other change."""
    detail: str
    """Why the folder was refused; empty when it was loaded."""


@dataclass(frozen=True, kw_only=True)
class ReloadCounts:
    """How often changed policies were put in force, and how often refused, since this process began."""

    loaded: int = 0
    refused: int = 0


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

    @property
    def reloads(self) -> ReloadCounts:
        """For metrics: counted whether or not anybody takes the changes."""
        ...

    def evaluate(self, rule: str, document: Mapping[str, object]) -> object:
        """Value of `rule` (`casewright.access.decision`) for `document` as its input.

        Raises:
            UndefinedRuleError: the rule has no value.
            PolicyError: the document is refused or the engine failed.
        """
        ...

    def probe(self) -> str:
        """Decide on nothing, and say what decided: which engine, where, under which revision.

        Raises:
            PolicyError: it cannot decide; calls are denied.
        """
        ...

    def close(self) -> None:
        """Let go of connections and threads; safe to call twice."""
        ...
