"""What a part of the house tells the audit: what happened, to whom, in which run and case.

The log adds place, time and hash. An entry is *not* yet an event; see `casewright.audit.chain`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from casewright.contracts.event import EventKind
from casewright.contracts.principal import Caller


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """One happening; `body` holds JSON values without fractions beyond what JSON can carry."""

    kind: EventKind
    tenant: str
    subject: str
    """The person; empty for the system itself or a caller that could not be verified."""
    body: Mapping[str, Any]
    agent: str = ""
    run_id: str = ""
    case_id: str = ""

    @classmethod
    def of_caller(cls, kind: EventKind, caller: Caller | None, body: Mapping[str, Any]) -> "AuditEntry":
        """An entry about what `caller` did; None: nobody could be verified."""
        if caller is None:
            return cls(kind=kind, tenant="", subject="", body=body)
        return cls(
            kind=kind,
            tenant=caller.principal.tenant,
            subject=caller.principal.id,
            body=body,
            agent=caller.actor.agent,
            run_id=caller.actor.run_id,
            case_id=caller.actor.case_id,
        )
