"""Records every exchange with a model, as it is sent and as it comes back; the innermost layer, next to the provider.

What leaves the process was redacted by then and is recorded in the same words. Nothing is written here: the exchanges
go into the notes of the call, and are kept together with its record (`casewright.models.recording`).
"""

import asyncio

from casewright.models.contents import Contents
from casewright.models.exchange import Exchange, keeper, outcome_kept, request_kept
from casewright.models.layer import CallContext, CallNotes, ProviderAround
from casewright.models.provider import CountsTokens, ModelReply, ModelRequest, NoReply, Provider

GIVEN_UP = "it was given up on its way"


class CassetteLayer:
    """Puts the recording around a provider."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents

    def around(self, provider: Provider, context: CallContext) -> Provider:
        return RecordedProvider(provider, context.notes, self._contents)


class RecordedProvider(ProviderAround):
    """A provider whose exchanges are noted, those that were given up included."""

    def __init__(self, provider: Provider, notes: CallNotes, contents: Contents) -> None:
        super().__init__(provider)
        self._notes = notes
        self._contents = contents

    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        try:
            outcome = await self.inner.complete(request)
        except asyncio.CancelledError:
            self._note(request, NoReply(reason=GIVEN_UP, retryable=True))
            raise
        self._note(request, outcome)
        return outcome

    async def count(self, request: ModelRequest) -> int | None:
        return await self.inner.count(request) if isinstance(self.inner, CountsTokens) else None

    def _note(self, request: ModelRequest, outcome: ModelReply | NoReply) -> None:
        leaves = self.capabilities.leaves_process
        keep = keeper(self._contents, leaves_process=leaves, into=self._notes.contents)
        exchange = Exchange(
            request=request_kept(request, self.inner, keep),
            outcome=outcome_kept(outcome, keep),
        )
        document = keeper(self._contents, leaves_process=True, into=self._notes.contents)
        self._notes.cassettes.append(document(exchange.document()))
