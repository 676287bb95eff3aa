"""What stands between the gateway and a provider: one concern each, put around the provider for one call.

A layer sees the whole request and the whole reply and may replace either. In which order they stand is said once, in
`casewright.models.assembly`; a layer knows none of the others.
"""

from dataclasses import dataclass
from typing import Protocol

from casewright.models.provider import Provider


@dataclass(frozen=True, kw_only=True)
class CallContext:
    """Whose call it is; goes to the record, never to the model."""

    run_id: str
    case_id: str
    tenant: str
    agent: str


class Layer(Protocol):
    """One concern around every call, such as the protection of personal data or the recording of exchanges."""

    def around(self, provider: Provider, context: CallContext) -> Provider:
        """A provider for one call of one task that does its part and asks `provider` for the rest."""
        ...
