"""What each of our errors becomes for a client: how to mend it, or nothing that helps an attacker."""

import inspect

import pytest
from mcp.server.mcpserver.exceptions import ToolError
from mcp.shared.exceptions import MCPError

from casewright import errors
from casewright.errors import CasewrightError, CitationError, DeniedError, UnauthenticatedError
from servers.boundary import HOW_TO_AUTHENTICATE, tool_error
from servers.guard import HIDDEN

TELLING = {"InputError", "NotFoundError", "CitationError", "ConflictError"}
"""Errors whose words are about what the caller itself sent."""


def made(kind: type[CasewrightError]) -> CasewrightError:
    """An error of this kind that holds a canary."""
    if issubclass(kind, DeniedError):
        return kind("canary", code="canary")
    return CitationError(("canary",)) if kind is CitationError else kind("canary")


KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, CasewrightError) and kind is not UnauthenticatedError
]


@pytest.mark.proves("D2")
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_only_errors_about_the_callers_own_input_keep_their_words(kind: type[CasewrightError]) -> None:
    answer = tool_error(made(kind), tool="get_case", hidden=HIDDEN)
    assert isinstance(answer, ToolError)
    assert ("canary" in str(answer)) is (kind.__name__ in TELLING)


@pytest.mark.proves("D2")
def test_a_denial_says_what_an_unknown_tool_says() -> None:
    answer = tool_error(DeniedError("because of x", code="not_assigned"), tool="get_case", hidden=HIDDEN)
    assert str(answer) == "'get_case' is not available: it does not exist, or this token may not use it"


@pytest.mark.proves("I2")
def test_without_a_valid_token_the_answer_is_a_protocol_error_that_says_how_to_get_one() -> None:
    answer = tool_error(UnauthenticatedError("expired", code="token_expired"), tool="get_case", hidden=HIDDEN)
    assert isinstance(answer, MCPError)
    assert answer.error.message == HOW_TO_AUTHENTICATE
    assert "expired" not in answer.error.message.partition("token")[0]
