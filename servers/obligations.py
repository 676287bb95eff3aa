"""The one place where obligations become duties of the code: what is not known here is not permitted.

A decision's obligations are read once into `Duties`. The guard meets approval, audit level and
watermark itself; `redact` and `limit` can only be met by the tool that knows its data, so a tool
that does not declare it is denied instead of trusted.
"""

from dataclasses import dataclass
from typing import Any, Literal

from casewright.contracts.approval import ApprovalRule
from casewright.contracts.decision import (
    ApprovalObligation,
    AuditLevel,
    AuditObligation,
    Decision,
    LimitObligation,
    RedactObligation,
    WatermarkObligation,
)
from casewright.errors import DeniedError

ObligationKind = Literal["approval", "redact", "limit", "watermark"]
"""What has to be met by somebody; the audit level is met by whoever writes the event."""
MET_BY_GUARD: frozenset[ObligationKind] = frozenset({"approval", "watermark"})
"""Of a tool's call."""
MET_OF_ENTRIES: frozenset[ObligationKind] = frozenset({"watermark"})
"""Of a resource that is read, a prompt or a completion: nobody can agree to one, and what asks for it is refused."""


@dataclass(frozen=True, kw_only=True)
class Duties:
    """What the obligations of one decision ask for; without one the strictest value holds."""

    approval: ApprovalRule | None = None
    redact_above: Literal["public", "internal", "confidential"] | None = None
    max_results: int | None = None
    audit_level: AuditLevel = "full"
    watermark: str = ""

    @classmethod
    def of(cls, decision: Decision) -> "Duties":
        """The duties of a decision.

        Raises:
            DeniedError: an obligation is not known (`obligation_unknown`).
        """
        found: dict[str, Any] = {}
        for obligation in decision.obligations:
            match obligation:
                case ApprovalObligation():
                    found["approval"] = _rule(obligation)
                case RedactObligation():
                    found["redact_above"] = obligation.above
                case LimitObligation():
                    found["max_results"] = obligation.max_results
                case AuditObligation():
                    found["audit_level"] = obligation.level
                case WatermarkObligation():
                    found["watermark"] = obligation.text
                case _:  # a decision/v1 that knows more than this guard
                    raise DeniedError("an obligation is not known here", code="obligation_unknown")
        return cls(**found)

    def check(self, meets: frozenset[ObligationKind]) -> None:
        """Refuse what nobody would meet: a tool that does not redact, a resource that is to be approved.

        Raises:
            DeniedError: `obligation_unmet`.
        """
        asked: dict[ObligationKind, bool] = {
            "approval": self.approval is not None,
            "redact": self.redact_above is not None,
            "limit": self.max_results is not None,
            "watermark": bool(self.watermark),
        }
        if missing := sorted(name for name, obliged in asked.items() if obliged and name not in meets):
            raise DeniedError(f"nothing here meets {', '.join(missing)}", code="obligation_unmet")


def _rule(obligation: ApprovalObligation) -> ApprovalRule:
    return ApprovalRule(
        roles=obligation.roles,
        quorum=obligation.quorum,
        author_excluded=obligation.author_excluded,
        ttl_seconds=obligation.ttl_seconds,
        risk="high",
        schedule=obligation.schedule,
    )
