"""Layers for tests of a gateway whose subject is none of them."""

from casewright.models.assembly import Layers
from casewright.models.layer import CallContext
from casewright.models.provider import Provider


class Through:
    """Does nothing."""

    def around(self, provider: Provider, context: CallContext) -> Provider:
        return provider


NO_LAYERS = Layers(budget=Through(), redaction=Through(), egress=Through(), cassette=Through())
