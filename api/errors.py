"""Every refusal of the API as a problem document (RFC 9457), with the request's id and nothing of the inside.

One function maps the errors of the house, the framework and the routes to problems; the reason of a
denial goes to the audit, the trace of a failure to the log. A denied read looks like an absence:
routes say so by raising `NotFoundError` (see `api.permission`).
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from fastapi.exceptions import RequestValidationError
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from casewright.contracts.base import Contract
from casewright.errors import (
    CasewrightError,
    ConflictError,
    DeniedError,
    InputError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
    WaitingError,
)

MEDIA_TYPE = "application/problem+json"
PREFIX = "urn:casewright:problem:"
MAX_DETAIL = 600
MAX_PROBLEMS = 20
_log = logging.getLogger("casewright.api")

ProblemName = Literal[
    "unreadable",
    "unauthenticated",
    "denied",
    "not-found",
    "method-not-allowed",
    "not-acceptable",
    "timeout",
    "conflict",
    "in-flight",
    "changed",
    "too-large",
    "uri-too-long",
    "unsupported-media-type",
    "invalid",
    "key-reused",
    "if-match-needed",
    "too-many-requests",
    "headers-too-large",
    "internal",
    "unavailable",
]
KINDS: dict[ProblemName, tuple[int, str]] = {
    "unreadable": (400, "The request cannot be read"),
    "unauthenticated": (401, "A valid bearer token is needed"),
    "denied": (403, "This is not permitted"),
    "not-found": (404, "There is nothing here for you"),
    "method-not-allowed": (405, "This method is not answered here"),
    "not-acceptable": (406, "Nothing is offered in the types asked for"),
    "timeout": (408, "The request did not arrive in time"),
    "conflict": (409, "The state of the thing forbids it"),
    "in-flight": (409, "A request with this idempotency key is being worked on"),
    "changed": (412, "The thing has changed since you read it"),
    "too-large": (413, "The body is too large"),
    "uri-too-long": (414, "The address is too long"),
    "unsupported-media-type": (415, "The body has to be JSON"),
    "invalid": (422, "The request asks for something that is not offered"),
    "key-reused": (422, "The idempotency key was used for another request"),
    "if-match-needed": (428, "Say with If-Match what you have read"),
    "too-many-requests": (429, "Too many requests"),
    "headers-too-large": (431, "The headers are too large"),
    "internal": (500, "The request failed here"),
    "unavailable": (503, "A part that is needed does not answer"),
}
"""Status and title by name; names are stable, titles may change."""
_OF_STATUS: dict[int, ProblemName] = {status: name for name, (status, _) in reversed(KINDS.items())}


class ProblemField(Contract):
    """One thing that is wrong with the request."""

    where: str
    """Where it stands: `body.case_id`, `query.limit`, `header.if-match`."""
    what: str


class Problem(Contract):
    """A refusal or a failure (RFC 9457)."""

    type: str = Field(description="What kind of problem it is; stable.", examples=[PREFIX + "not-found"])
    title: str
    status: int
    detail: str
    request_id: str = Field(description="Name it when you ask about this; it stands in the log and the audit.")
    errors: tuple[ProblemField, ...] = ()


@dataclass
class ApiProblemError(Exception):
    """A refusal that only HTTP knows; routes and middleware raise it."""

    name: ProblemName
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    errors: tuple[ProblemField, ...] = ()


def problem_answer(problem: ApiProblemError, request_id: str) -> Response:
    """The problem document as an answer."""
    status, title = KINDS[problem.name]
    document = Problem(
        type=PREFIX + problem.name,
        title=title,
        status=status,
        detail=problem.detail[:MAX_DETAIL],
        request_id=request_id,
        errors=problem.errors,
    )
    content = document.model_dump(mode="json")
    return JSONResponse(content, status, headers=dict(problem.headers), media_type=MEDIA_TYPE)


async def answer_error(request: Request, error: Exception) -> Response:
    """The one handler of everything that a route or the framework raises."""
    problem = as_problem(error, request)
    if KINDS[problem.name][0] >= 500:
        _log.error("request %s failed: %r", request_id_of(request), error, exc_info=error)
    return problem_answer(problem, request_id_of(request))


def request_id_of(request: Request) -> str:
    """The id that `api.envelope` gave the request."""
    return str(request.scope["state"]["request_id"])


def as_problem(error: Exception, request: Request) -> ApiProblemError:
    """What the client is told of an error."""
    match error:
        case ApiProblemError():
            return error
        case RequestValidationError():
            return _of_validation(error.errors())
        case HTTPException():
            return _of_framework(error, request)
        case CasewrightError():
            return _of_house(error)
        case _:
            return ApiProblemError("internal", "the reason is in the server's log, under the request id")


def _of_house(error: CasewrightError) -> ApiProblemError:
    match error:
        case UnauthenticatedError():
            return ApiProblemError("unauthenticated", "the token is not valid here")
        case DeniedError():
            return ApiProblemError("denied", "the policy does not permit this; the reason is in the audit")
        case NotFoundError():
            return ApiProblemError("not-found", "nothing with this id is there for you")
        case InputError():
            return ApiProblemError("invalid", str(error))
        case ConflictError() | WaitingError():
            return ApiProblemError("conflict", str(error))
        case UnavailableError():
            detail = "a part of the server does not answer; try again in a moment"
            return ApiProblemError("unavailable", detail, {"retry-after": "5"})
        case _:
            return ApiProblemError("internal", "the reason is in the server's log, under the request id")


def _of_framework(error: HTTPException, request: Request) -> ApiProblemError:
    name: ProblemName = _OF_STATUS.get(error.status_code, "internal" if error.status_code >= 500 else "unreadable")
    if name == "not-found":
        return ApiProblemError(name, "nothing is served at this path; /openapi.json says what there is")
    if name == "method-not-allowed":
        allowed = ", ".join(methods_at(request))
        return ApiProblemError(name, f"this path answers {allowed}", {"allow": allowed})
    return ApiProblemError(name, "the body is not readable as JSON" if name == "unreadable" else KINDS[name][1])


def methods_at(request: Request) -> tuple[str, ...]:
    """Every method that some route answers at the path of the request, sorted."""
    from fastapi.routing import iter_route_contexts
    from starlette.routing import compile_path

    found: set[str] = set()
    for context in iter_route_contexts(request.app.routes):
        if context.path and context.methods and compile_path(context.path)[0].match(request.url.path):
            found |= set(context.methods)
    return tuple(sorted(found))


def _of_validation(errors: Sequence[Any]) -> ApiProblemError:
    """The places and the rules; never what was sent, which may be anything."""
    found = [cast(Mapping[str, Any], error) for error in errors[:MAX_PROBLEMS]]
    if any(error["type"] == "json_invalid" for error in found):
        return ApiProblemError("unreadable", "the body is not readable as JSON")
    fields = tuple(ProblemField(where=_place(error["loc"]), what=str(error["msg"])[:200]) for error in found)
    return ApiProblemError("invalid", "some of what was sent is missing, unknown or out of range", errors=fields)


def _place(parts: Sequence[Any]) -> str:
    """The place in dots; a name that the client made up is not repeated at any length."""
    return ".".join(str(part)[:60] for part in parts[:8])
