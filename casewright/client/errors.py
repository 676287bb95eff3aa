"""What the API refuses or fails with, by what the caller does next; each names the request for whoever looks it up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from casewright.errors import CasewrightError

PREFIX = "urn:casewright:problem:"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A problem document (RFC 9457), as far as it could be read."""

    status: int
    name: str
    """Its stable name, such as `not-found`; empty where the answer was none of the API's."""
    detail: str
    request_id: str
    errors: tuple[Mapping[str, Any], ...] = ()
    retry_after_seconds: int = 0


class ApiError(CasewrightError):
    """The API refused or failed; `problem` says which way, `request_id` names the request in its log and audit."""

    def __init__(self, problem: Problem) -> None:
        fields = "".join(f"; {item.get('where')}: {item.get('what')}" for item in problem.errors)
        super().__init__(f"{problem.status} {problem.name}: {problem.detail}{fields} (request {problem.request_id!r})")
        self.problem = problem

    @property
    def request_id(self) -> str:
        return self.problem.request_id


class ApiUnauthenticatedError(ApiError):
    """Get a token: this one is not valid here."""


class ApiDeniedError(ApiError):
    """Give up or ask for access: the policy says no."""


class ApiNotFoundError(ApiError):
    """Fix the reference: there is nothing of this name for you."""


class ApiInvalidError(ApiError):
    """Fix the request: `problem.errors` says which part of it."""


class ApiConflictError(ApiError):
    """Read again and decide: the state of the thing forbids it, or it changed since it was read."""


class ApiBusyError(ApiError):
    """Retry later: there were too many requests, or a part does not answer now."""


class ApiUnreachableError(ApiError):
    """Look at the address and the network: the API did not answer."""


class ApiAnswerError(ApiError):
    """Update the client, or look at the address: what came is none of the API's answers."""


_BY_STATUS: dict[int, type[ApiError]] = {
    400: ApiInvalidError,
    401: ApiUnauthenticatedError,
    403: ApiDeniedError,
    404: ApiNotFoundError,
    409: ApiConflictError,
    412: ApiConflictError,
    413: ApiInvalidError,
    415: ApiInvalidError,
    422: ApiInvalidError,
    428: ApiConflictError,
    429: ApiBusyError,
    503: ApiBusyError,
}


def error_of(problem: Problem) -> ApiError:
    """The error of a refusal."""
    return _BY_STATUS.get(problem.status, ApiError)(problem)
