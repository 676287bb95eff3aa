"""One call of the API as a value: what is sent, and what is read of the answer. Nothing is sent here."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import httpx2
from pydantic import BaseModel, ValidationError

from casewright.client.errors import PREFIX, ApiAnswerError, Problem, error_of
from casewright.client.models import Page
from casewright.errors import InputError

AnswerT = TypeVar("AnswerT", bound=BaseModel)
ItemT = TypeVar("ItemT")
Params = Mapping[str, str | int]
REPEATABLE = (429, 503)
"""Nothing was done: the request may be sent again."""
LONGEST_WAIT_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Call(Generic[AnswerT]):
    """One operation with its arguments; see `casewright.client.operations`."""

    operation_id: str
    method: str
    path: str
    answer: type[AnswerT]
    params: Params = field(default_factory=dict[str, str | int])
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    also: tuple[int, ...] = ()
    """Other statuses than those of success whose body is the answer, too."""

    def if_match(self, etag: str) -> "Call[AnswerT]":
        """The same, refused with 412 unless the thing is what was read under this tag."""
        return replace(self, headers={**self.headers, "if-match": etag})

    def keyed(self, key: str = "") -> "Call[AnswerT]":
        """The same with an idempotency key, so that it may be sent again; a key of its own unless one is given."""
        return replace(self, headers={**self.headers, "idempotency-key": key or f"client-{secrets.token_hex(16)}"})


@dataclass(frozen=True, kw_only=True)
class PageCall(Call[Page[ItemT]], Generic[ItemT]):
    """A call whose answer is a page; `Client.pages` goes on until the last."""

    def after(self, cursor: str) -> "PageCall[ItemT]":
        """The call of the next page."""
        return replace(self, params={**self.params, "cursor": cursor})


@dataclass(frozen=True, kw_only=True)
class Answered(Generic[AnswerT]):
    """An answer with what the headers say of it."""

    value: AnswerT
    etag: str
    request_id: str
    watermark: str
    """What it is to be marked with where it is shown, percent-encoded; empty: nothing."""
    replayed: bool
    """True: it is the answer that the same key had before."""


def path_of(template: str, **values: str | int) -> str:
    """The address with its values; none of them can lead anywhere else.

    Raises:
        InputError: a value is no id.
    """
    for name, value in values.items():
        if str(value) in ("", ".", ".."):
            raise InputError(f"{name} is {value!r}, which names nothing; give the id")
    return template.format(**{name: quote(str(value), safe="") for name, value in values.items()})


def without_none(**values: Any) -> dict[str, Any]:
    """What was given."""
    return {name: value for name, value in values.items() if value is not None}


def read(call: Call[AnswerT], response: httpx2.Response) -> Answered[AnswerT]:
    """The answer of a call.

    Raises:
        ApiError: it was refused, or what came is no answer of the API.
    """
    headers = response.headers
    if not (response.is_success or response.status_code in call.also):
        raise error_of(problem_of(response))
    try:
        value = call.answer.model_validate_json(response.content)
    except ValidationError as error:
        problem = Problem(
            status=response.status_code,
            name="",
            detail=f"the answer to {call.operation_id!r} has {error.error_count()} field(s) of another shape",
            request_id=headers.get("x-request-id", ""),
        )
        raise ApiAnswerError(problem) from error
    return Answered(
        value=value,
        etag=headers.get("etag", ""),
        request_id=headers.get("x-request-id", ""),
        watermark=headers.get("casewright-watermark", ""),
        replayed=headers.get("idempotent-replayed") == "true",
    )


def problem_of(response: httpx2.Response) -> Problem:
    """What the API says of a refusal; an answer from somewhere on the way has no name."""
    after = response.headers.get("retry-after", "")
    known: dict[str, Any] = {}
    if response.headers.get("content-type", "").startswith("application/problem+json"):
        try:
            known = json.loads(response.content)
        except ValueError:
            known = {}
    return Problem(
        status=response.status_code,
        name=str(known.get("type", "")).removeprefix(PREFIX),
        detail=str(known.get("detail", "the answer says nothing more")),
        request_id=str(known.get("request_id", response.headers.get("x-request-id", ""))),
        errors=tuple(known.get("errors", ())),
        retry_after_seconds=int(after) if after.isascii() and after.isdigit() else 0,
    )


def unreachable(error: httpx2.TransportError) -> Problem:
    """Nothing came, or it broke off."""
    return Problem(status=0, name="unreachable", detail=f"{type(error).__name__}: {error}", request_id="")


def is_repeatable(call: Call[Any]) -> bool:
    """Whether sending it twice does no more than sending it once."""
    return call.method == "GET" or "idempotency-key" in call.headers


def wait_seconds(attempt: int, problem: Problem) -> float:
    """How long to wait before the next attempt; the server's word wins."""
    return min(problem.retry_after_seconds or 0.25 * 2**attempt, LONGEST_WAIT_SECONDS)
