"""One request to a model and what came back, as it is recorded: a small document that names its texts by address.

Two requests are the same when everything is that a model is given, apart from the markers around blocks of input, which
are drawn anew each time (`casewright.models.prompts`). The time a request may take and who listens are no part of it.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field

from casewright.canonical import canonical_json, digest
from casewright.contracts.base import Contract
from casewright.models.contents import Content, Contents
from casewright.models.provider import ModelReply, ModelRequest, NoReply, Provider, Usage

_ANNOUNCED = re.compile(r"(?m)^marker: ([0-9a-f]{16,64})$")
Count = Annotated[int, Field(ge=0)]


class KeptTurn(Contract):
    role: Literal["user", "assistant"]
    text: str
    """An address."""


class KeptUsage(Contract):
    input_tokens: Count
    output_tokens: Count
    cache_read_tokens: Count
    cache_write_tokens: Count

    @classmethod
    def of(cls, usage: Usage) -> "KeptUsage":
        return cls(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_tokens=usage.cache_write_tokens,
        )

    def usage(self) -> Usage:
        return Usage(**self.model_dump())


class KeptRequest(Contract):
    """What a model was given."""

    provider: str
    model: str
    structured_output: bool
    """Whether the provider held the model to the schema."""
    leaves_process: bool
    task: str
    task_version: int
    output: str
    """Name of the model of the answer."""
    output_sha256: str
    """Of its JSON schema."""
    max_output_tokens: int
    system: str
    """An address; empty, as are the turns, where the provider reads the typed input instead."""
    turns: tuple[KeptTurn, ...]
    input: str
    """An address; empty where the provider reads the text."""


class KeptOutcome(Contract):
    """What came back."""

    text: str
    """An address; empty: no reply came."""
    model: str
    request_id: str
    calls: Count
    usage: KeptUsage
    cut_off: bool = False
    reason: str = ""
    """Why there was no reply."""
    retryable: bool = False
    retry_after_ms: int | None = None
    denied: str = ""


class Exchange(Contract):
    """A request and its outcome."""

    kind: Literal["exchange/v1"] = "exchange/v1"
    request: KeptRequest
    outcome: KeptOutcome

    def document(self) -> str:
        """Canonical JSON; its address is that of the exchange."""
        return canonical_json(self.model_dump(mode="json")).decode()


def request_kept(request: ModelRequest, provider: Provider, keep: Callable[[str], str]) -> KeptRequest:
    """A request as it is recorded; `keep` takes a text and gives its address."""
    leaves = provider.capabilities.leaves_process
    return KeptRequest(
        provider=provider.name,
        model=provider.model,
        structured_output=provider.capabilities.structured_output,
        leaves_process=leaves,
        task=request.task,
        task_version=request.task_version,
        output=request.output.__name__,
        output_sha256=schema_sha256(request.output),
        max_output_tokens=request.max_output_tokens,
        system=keep(request.system) if leaves else "",
        turns=tuple(KeptTurn(role=turn.role, text=keep(turn.text)) for turn in request.turns) if leaves else (),
        input="" if leaves else keep(request.input.model_dump_json()),
    )


def outcome_kept(outcome: ModelReply | NoReply, keep: Callable[[str], str]) -> KeptOutcome:
    """What came back as it is recorded."""
    usage = KeptUsage.of(outcome.usage)
    if isinstance(outcome, ModelReply):
        return KeptOutcome(
            text=keep(outcome.text),
            model=outcome.model,
            request_id=outcome.request_id,
            calls=outcome.calls,
            usage=usage,
            cut_off=outcome.cut_off,
        )
    after = outcome.retry_after_seconds
    return KeptOutcome(
        text="",
        model="",
        request_id=outcome.request_id,
        calls=outcome.calls,
        usage=usage,
        reason=outcome.reason,
        retryable=outcome.retryable,
        retry_after_ms=None if after is None else round(after * 1000),
        denied=outcome.denied,
    )


def outcome_again(kept: KeptOutcome, text: str) -> ModelReply | NoReply:
    """What a provider gave back, made from its record and the text of its reply."""
    if kept.text:
        return ModelReply(
            text=text,
            model=kept.model,
            usage=kept.usage.usage(),
            request_id=kept.request_id,
            cut_off=kept.cut_off,
            calls=kept.calls,
        )
    return NoReply(
        reason=kept.reason,
        retryable=kept.retryable,
        retry_after_seconds=None if kept.retry_after_ms is None else kept.retry_after_ms / 1000,
        request_id=kept.request_id,
        usage=kept.usage.usage(),
        calls=kept.calls,
        denied=kept.denied,
    )


def keeper(contents: Contents, *, leaves_process: bool, into: dict[str, str]) -> Callable[[str], str]:
    """A function that puts a text `into` what is to be kept and gives its address."""
    address_of = contents.readable if leaves_process else contents.sealed

    def keep(text: str) -> str:
        content: Content = address_of(text)
        into[content.address] = text
        return content.address

    return keep


def unmarked(texts: Sequence[str]) -> tuple[str, ...]:
    """The texts of one request with each announced marker replaced by its number, so that two can be compared."""
    markers = dict.fromkeys(found for text in texts for found in _ANNOUNCED.findall(text))
    plain = list(texts)
    for number, marker in enumerate(markers, start=1):
        plain = [text.replace(marker, f"marker-{number}") for text in plain]
    return tuple(plain)


@cache
def schema_sha256(model: type[Contract]) -> str:
    """SHA-256 of a model's JSON schema."""
    schema: dict[str, Any] = model.model_json_schema()
    return digest(schema)
