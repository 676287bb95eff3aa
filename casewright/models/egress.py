"""Whether data may leave to a model: asked of the policy before every request that leaves the process.

It stands inside the redaction, so that it decides on the request as it would be sent, with the label that protection
gave it. Rego decides (`policies/casewright/egress`) over data class, model and region; only JSON `true` of a whole
decision lets a request through. No label, no region, no answer, an answer of another shape: nothing leaves.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Literal

from casewright.access.engine import PolicyEngine
from casewright.contracts.base import Contract
from casewright.errors import PolicyError
from casewright.models.layer import CallContext, ProviderAround
from casewright.models.permission import full_name
from casewright.models.provider import (
    CountsTokens,
    DataLabel,
    ModelReply,
    ModelRequest,
    NoReply,
    Provider,
)

EGRESS_RULE = "casewright.egress.decision"
_SCHEMA = "egress/v1"
_LATE_AFTER_SECONDS = 2.0
_RECHECK_SECONDS = 1.0
_log = logging.getLogger("casewright.models")


class _Reason(Contract):
    code: str
    message: str


class _Decision(Contract):
    schema_version: Literal["egress_decision/v1"]
    allow: bool
    reasons: tuple[_Reason, ...]


class EgressLayer:
    """Asks the policy for every request to a provider that leaves the process."""

    def __init__(self, engine: Callable[[], PolicyEngine]) -> None:
        """`engine` gives the one in force; it is called for the first request, since loading it takes a moment."""
        self._engine = engine
        self._checked = 0.0

    def around(self, provider: Provider, context: CallContext) -> Provider:
        """See `casewright.models.layer.Layer`. What stays in the process needs no decision."""
        return AskingProvider(provider, context, self) if provider.capabilities.leaves_process else provider

    async def refusal(self, request: ModelRequest, provider: Provider, context: CallContext) -> NoReply | None:
        """Why the request may not be sent to this provider, as the answer it gets instead; None: it may."""
        label = request.label
        if label is None:
            return _refused("egress_no_label", "nobody said what the request carries")
        document: dict[str, object] = {
            "schema": _SCHEMA,
            "tenant": context.tenant,
            "task": request.task,
            "data": {
                "classification": label.classification.value,
                "sealed": label.sealed,
                "redacted": label.redacted,
            },
            "model": {
                "provider": provider.name.partition("/")[0],
                "name": provider.model.removeprefix(f"{provider.name}/"),
                "region": provider.capabilities.region,
            },
        }
        try:
            decision, revision = await self._decide(document)
        except Exception:  # noqa: BLE001 - boundary of the engine: whatever it raises is a refusal
            _log.exception("there is no decision on what may leave")
            return _refused(
                "egress_undecided", "the policy gave no usable decision; `casewright policy check` says why"
            )
        if decision.allow is True:
            context.notes.sent.append(_sent(label, provider, revision))
            return None
        code = decision.reasons[0].code if decision.reasons else "egress_denied"
        return _refused(code, "; ".join(reason.message for reason in decision.reasons))

    async def _decide(self, document: dict[str, object]) -> tuple[_Decision, str]:
        """The decision, and the revision it was made under."""
        engine = await self._refreshed()
        if engine.blocking:
            async with asyncio.timeout(_LATE_AFTER_SECONDS):
                found, revision = await asyncio.to_thread(_evaluate, engine, document)
        else:
            found, revision = _evaluate(engine, document)
        return _decision(found), revision

    async def _refreshed(self) -> PolicyEngine:
        """The engine with the policy files as they are; they are looked at once a second at most."""
        if self._checked == 0.0 or time.monotonic() - self._checked >= _RECHECK_SECONDS:
            engine = await asyncio.to_thread(self._engine)
            await asyncio.to_thread(engine.reload_if_changed)
            self._checked = time.monotonic()
        return self._engine()


class AskingProvider(ProviderAround):
    """A provider that is sent only what may leave to it."""

    def __init__(self, provider: Provider, context: CallContext, layer: EgressLayer) -> None:
        super().__init__(provider)
        self._context = context
        self._layer = layer

    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        refused = await self._layer.refusal(request, self.inner, self._context)
        return refused or await self.inner.complete(request)

    async def count(self, request: ModelRequest) -> int | None:
        """As the provider counts them; what may not leave is not sent to be counted either."""
        if not isinstance(self.inner, CountsTokens):
            return None
        if await self._layer.refusal(request, self.inner, self._context) is not None:
            return None
        return await self.inner.count(request)


def _evaluate(engine: PolicyEngine, document: dict[str, object]) -> tuple[object, str]:
    """One answer under one revision; a reload in between is asked again, once."""
    for _ in range(2):
        revision = engine.revision
        found = engine.evaluate(EGRESS_RULE, document)
        if engine.revision == revision:
            return found, revision
    raise PolicyError("the policies changed while they were asked")


def _decision(found: object) -> _Decision:
    if not isinstance(found, dict) or "schema" not in found:
        raise PolicyError(f"the rule {EGRESS_RULE!r} gave no decision; correct it")
    document: dict[str, object] = {str(key): value for key, value in found.items()}  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    document["schema_version"] = document.pop("schema")
    reasons = document.get("reasons")
    if isinstance(reasons, list):
        document["reasons"] = tuple(reasons)  # pyright: ignore[reportUnknownArgumentType]
    return _Decision.model_validate(document, strict=True)


def _sent(label: DataLabel, provider: Provider, revision: str) -> str:
    redacted = "redacted" if label.redacted else "not redacted"
    to = full_name(provider.name, provider.model)
    return f"{label.classification.value} data, {redacted}, to {to} in {provider.capabilities.region!r}, by {revision}"


def _refused(code: str, why: str) -> NoReply:
    return NoReply(reason=f"may not leave: {why}", retryable=False, calls=0, denied=code)
