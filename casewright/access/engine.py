"""The seam between decisions and the engine that evaluates Rego.

An engine answers one rule for one document, or raises; it never answers "allowed". Production:
`EmbeddedEngine`. Tests and offline replays: `ScriptedEngine`.
"""

from collections.abc import Mapping
from typing import Protocol

from casewright.errors import PolicyError


class UndefinedRuleError(PolicyError):
    """Mend the policy: the rule has no value for this document, so nothing may be allowed."""


class PolicyEngine(Protocol):
    """Evaluates one rule of the policies in force. Safe to call from several threads."""

    @property
    def revision(self) -> str:
        """SHA-256 over the policy files and data in force."""
        ...

    def evaluate(self, rule: str, document: Mapping[str, object]) -> object:
        """Value of `rule` (`casewright.access.decision`) for `document` as its input.

        Raises:
            UndefinedRuleError: the rule has no value.
            PolicyError: the document is refused or the engine failed.
        """
        ...
