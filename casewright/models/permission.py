"""Whether a model may be called: asked before every request, retries and corrections included.

The gateway asks; who answers is a seam, so that models know nothing of where switches are kept
(`casewright.controls.models` reads the live ones). It is *not* the access policy, which decides on
tools: a model call has no resource and no caller but the run.
"""

from typing import Protocol

from casewright.errors import DeniedError
from casewright.models.layer import CallContext, ProviderAround
from casewright.models.provider import ModelReply, ModelRequest, NoReply, Provider


class ModelPermission(Protocol):
    """Answers for one call; a model that it does not let through is not asked."""

    async def check(self, context: CallContext, model: str) -> None:
        """Return if the model, by its full name `provider/model`, may be called in this run now.

        Raises:
            DeniedError: it is switched off.
            StorageError: nobody can tell whether it is, so it is not called.
        """
        ...


class Permitted:
    """Asks for permission around every request."""

    def __init__(self, permission: ModelPermission) -> None:
        self._permission = permission

    def around(self, provider: Provider, context: CallContext) -> Provider:
        return PermittedProvider(provider, self._permission, context)


class PermittedProvider(ProviderAround):
    """A provider that asks for permission first; what is refused is no reply, and is not retried.

    A service may answer with a more exact name than it was asked by. That name is looked up as
    well, and the reply of a switched-off model is thrown away, though its tokens count.
    """

    def __init__(self, provider: Provider, permission: ModelPermission, context: CallContext) -> None:
        super().__init__(provider)
        self._permission = permission
        self._context = context

    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        if denied := await self._denied(self.model):
            return NoReply(reason=str(denied), retryable=False, calls=0, denied=denied.code)
        reply = await self.inner.complete(request)
        if isinstance(reply, NoReply) or reply.model == self.model:
            return reply
        denied = await self._denied(reply.model)
        if denied is None:
            return reply
        return NoReply(
            reason=str(denied),
            retryable=False,
            request_id=reply.request_id,
            usage=reply.usage,
            calls=reply.calls,
            denied=denied.code,
        )

    async def _denied(self, model: str) -> DeniedError | None:
        """Why the model may not be called; None: it may."""
        try:
            await self._permission.check(self._context, full_name(self.name, model))
        except DeniedError as error:
            return error
        return None


def full_name(provider: str, model: str) -> str:
    """`provider/model`, from the two as the call record has them; some models carry their provider already."""
    return model if model == provider or model.startswith(f"{provider}/") else f"{provider}/{model}"
