"""A person's own tools: the servers in this process, reached over MCP with the person's token.

The command line has no way around the guard: what it shows, any MCP client of the same person
would get.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from agents.toolbox import ModelT, Toolbox, ToolBudget, ToolRefusedError, open_toolbox
from casewright.contracts.principal import Actor, Principal, ServerName
from casewright.errors import CasewrightError, DeniedError, InputError
from casewright.identity.tokens import DELEGATED_SECONDS
from casewright.services import Services
from servers.build import ServerFactory
from servers.guard import HIDDEN

CALLS_PER_COMMAND = 100
_SERVER_FAILED = ("the reason is in the server's log", "a part of the server does not answer")


class PersonalTools:
    """A toolbox whose refusals are errors with the exit codes of the command line."""

    def __init__(self, tools: Toolbox, person: Principal) -> None:
        self._tools = tools
        self._person = person

    async def call(self, tool: str, arguments: Mapping[str, Any], result: type[ModelT]) -> ModelT:
        """Call a tool and read its structured result.

        Raises:
            DeniedError: this person may not use the tool here, or there is nothing to use it on.
            InputError: the server refused the arguments and said why.
            CasewrightError: the server failed.
        """
        try:
            return await self._tools.call(tool, arguments, result)
        except ToolRefusedError as error:
            raise self._translated(tool, str(error)) from error

    def _translated(self, tool: str, said: str) -> CasewrightError:
        if HIDDEN in said:
            return DeniedError(f"{tool!r} is not available to {self._person.id!r} here", code="not_available")
        if any(failed in said for failed in _SERVER_FAILED):
            return CasewrightError(f"{said}; `casewright doctor` shows what to mend")
        return InputError(said)


@asynccontextmanager
async def own_tools(
    services: Services,
    principal: Principal,
    server: ServerName,
    *,
    run_id: str,
    case_id: str = "",
    budget: ToolBudget | None = None,
) -> AsyncGenerator[PersonalTools, None]:
    """The tools of one server for the length of one command.

    Args:
        budget: keeps the calls that are made, for who records them; None: nobody does.

    Raises:
        StorageError: the data folder lacks what the server works on; said before the first call,
            because a server tells its clients only that it failed.
    """
    await services.audit.head()
    if server == "policy-search":
        services.corpus.index_version()
    actor = Actor(kind="user", run_id=run_id, case_id=case_id)
    token = services.exchange.personal(principal, actor, server, seconds=DELEGATED_SECONDS).token
    server_here = ServerFactory(services).build(server, token)
    async with open_toolbox(server_here, budget or ToolBudget(limit=CALLS_PER_COMMAND, spent=0)) as tools:
        yield PersonalTools(tools, principal)
