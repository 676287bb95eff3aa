"""The layer that labels what a request carries, takes personal data out of it, and puts it back into the reply.

It stands around every provider that leaves the process, close to it: retries and repairs pass through it like the first
request. A task whose output goes where others read it gets its placeholders back as they are, so that nothing personal
reaches a search by way of a reply; the task's own check then refuses them.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from enum import Enum
from typing import cast

from pydantic import BaseModel

from casewright.contracts.base import Contract
from casewright.contracts.case import Classification
from casewright.models.classification import INTAKE_CLASSIFY
from casewright.models.layer import CallContext, ProviderAround
from casewright.models.protection.corrected import LastReply
from casewright.models.protection.heard import RestoringListener
from casewright.models.protection.knowledge import CaseKnowledge, Knowledge
from casewright.models.protection.placeholders import Placeholders
from casewright.models.provider import (
    CountsTokens,
    DataLabel,
    ModelReply,
    ModelRequest,
    NoReply,
    Provider,
)
from casewright.models.tasks import LISTED

GOES_PUBLIC = frozenset({INTAKE_CLASSIFY.name})
"""Tasks whose output everybody who searches the rules may come to see; nothing is restored in it."""
_KEPT_RUNS = 256
_LONG_CHARACTERS = 50_000
"""Texts beyond this are read in a thread, so that other calls go on."""
_RunKey = tuple[str, str, str]


class ProtectionLayer:
    """Redacts what leaves the process. Keeps the placeholders of the latest runs, in memory only."""

    def __init__(self, knowledge: Knowledge, *, notice: str) -> None:
        """`notice` tells the model what placeholders are; it is added to the instructions."""
        self._knowledge = knowledge
        self._notice = notice
        self._runs: OrderedDict[_RunKey, tuple[str, Placeholders]] = OrderedDict()

    def around(self, provider: Provider, context: CallContext) -> Provider:
        """See `casewright.models.layer.Layer`. What stays in the process is left as it is."""
        if not provider.capabilities.leaves_process:
            return provider
        return ProtectedProvider(provider, context, self)

    async def protect(
        self, request: ModelRequest, context: CallContext, last: LastReply
    ) -> tuple[ModelRequest, Placeholders]:
        """The request as it may leave, labelled, and the way back; `last` is what the same model replied before.

        Raises:
            StorageError: the case cannot be read.
        """
        known = await self._knowledge.of(context)
        placeholders = await self._placeholders(context, known)
        label = DataLabel(
            classification=_classification(request, context, known),
            sealed=known is not None and (known.sealed or any(map(known.carries_withheld, _said(request)))),
            redacted=True,
        )
        if sum(len(turn.text) for turn in request.turns) > _LONG_CHARACTERS:
            redacted = await asyncio.to_thread(_redacted, request, placeholders, last)
        else:
            redacted = _redacted(request, placeholders, last)
        system = f"{request.system}\n\n{self._notice}"
        return replace(redacted, system=system, data_class=label.classification, label=label), placeholders

    async def _placeholders(self, context: CallContext, known: CaseKnowledge | None) -> Placeholders:
        """Those of the run; what the case has come to hold since is learnt first."""
        key = (context.tenant, context.run_id, context.case_id)
        state = known.state if known else ""
        kept = self._runs.get(key) if context.run_id else None
        if kept is not None and kept[0] == state:
            self._runs.move_to_end(key)
            return kept[1]
        made = kept[1] if kept else Placeholders()
        if known is not None:
            await asyncio.to_thread(made.learn, known.people, known.texts)
        if context.run_id:
            self._runs[key] = (state, made)
            while len(self._runs) > _KEPT_RUNS:
                self._runs.popitem(last=False)
        return made


class ProtectedProvider(ProviderAround):
    """A provider that is asked without personal data, for one call."""

    def __init__(self, provider: Provider, context: CallContext, layer: ProtectionLayer) -> None:
        super().__init__(provider)
        self._context = context
        self._layer = layer
        self._last = LastReply()

    async def complete(self, request: ModelRequest) -> ModelReply | NoReply:
        protected, placeholders = await self._layer.protect(request, self._context, self._last)
        public = request.task in GOES_PUBLIC
        if request.listener is not None and not public:
            protected = replace(protected, listener=RestoringListener(request.listener, placeholders))
        reply = await self.inner.complete(protected)
        if isinstance(reply, NoReply):
            return reply
        as_written = LastReply(written=reply.text, restored=reply.text)
        self._last = as_written if public else LastReply.of(reply.text, placeholders)
        return replace(reply, text=self._last.restored)

    async def count(self, request: ModelRequest) -> int | None:
        """As the provider counts them; what is sent to be counted is redacted as well."""
        if not isinstance(self.inner, CountsTokens):
            return None
        protected, _placeholders = await self._layer.protect(request, self._context, self._last)
        return await self.inner.count(protected)


def _classification(request: ModelRequest, context: CallContext, known: CaseKnowledge | None) -> Classification:
    """The stricter one of the task's class and the case's, as the store has it; of what nobody knows, the strictest."""
    task = LISTED.get(request.task)
    if task is None or (known is None and (task.holds_case or context.case_id)):
        return Classification.RESTRICTED
    if known is None:
        return task.data_class
    return max(task.data_class, known.classification, key=list(Classification).index)


def _said(request: ModelRequest) -> Iterator[str]:
    """Every text of a request: as it is rendered, and before a line break or a quote in it became an escape."""
    yield from (turn.text for turn in request.turns)
    yield from _texts(request.input.model_dump(mode="json"))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in cast(Mapping[object, object], value).values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in cast(list[object], value):
            yield from _texts(item)


def _redacted(request: ModelRequest, placeholders: Placeholders, last: LastReply) -> ModelRequest:
    return replace(
        request,
        input=cast(Contract, _deep(request.input, placeholders)),
        turns=last.again(request.turns, placeholders),
    )


def _deep(value: object, placeholders: Placeholders) -> object:
    """The value with every text in it redacted; its types stay, its length limits are not asked again."""
    if isinstance(value, str):
        return value if isinstance(value, Enum) else placeholders.redact(value)
    if isinstance(value, BaseModel):
        fields = {name: getattr(value, name) for name in type(value).model_fields}
        changed = {name: _deep(item, placeholders) for name, item in fields.items()}
        return value.model_copy(update={name: item for name, item in changed.items() if item is not fields[name]})
    if isinstance(value, tuple | list):
        items = cast(tuple[object, ...] | list[object], value)
        made = [_deep(item, placeholders) for item in items]
        return tuple(made) if isinstance(value, tuple) else made
    if isinstance(value, Mapping):
        pairs = cast(Mapping[object, object], value).items()
        return {_deep(key, placeholders): _deep(item, placeholders) for key, item in pairs}
    return value
