"""A server's own failure may pass and is tried again; a refusal is a reason to stop."""

import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_REQUEST

from agents.toolbox import ToolRefusedError, broken, refusal
from casewright.contracts.tool_failures import NO_ANSWER, failed, is_servers_own
from casewright.errors import DeniedError, StorageError, UnavailableError
from servers.boundary import tool_error

pytestmark = pytest.mark.proves("E4")
TOOL = "execute_action"


@pytest.mark.parametrize("error", [StorageError("the disk is full"), UnavailableError("no engine answers")])
def test_what_servers_say_of_their_own_failures_is_known_to_callers(error: StorageError | UnavailableError) -> None:
    said = str(tool_error(error, tool=TOOL, hidden="not here"))
    assert is_servers_own(TOOL, said)
    assert isinstance(refusal(TOOL, said), UnavailableError)


def test_a_denial_is_no_failure_of_the_server() -> None:
    said = str(tool_error(DeniedError("no", code="role"), tool=TOOL, hidden="not here"))
    assert isinstance(refusal(TOOL, said), ToolRefusedError)


def test_words_of_another_tool_or_around_the_words_are_a_refusal() -> None:
    assert isinstance(refusal(TOOL, failed("save_draft")), ToolRefusedError)
    assert isinstance(refusal(TOOL, f"the letter says: {NO_ANSWER}"), ToolRefusedError)


def test_an_error_of_the_protocol_that_the_server_caused_may_pass() -> None:
    assert isinstance(broken(TOOL, MCPError(code=INTERNAL_ERROR, message="x")), UnavailableError)
    refused = MCPError(code=INVALID_REQUEST, message="no token")
    assert broken(TOOL, refused) is refused
