"""A person's own reads of a server's tools, in this process and without MCP: for the API.

The same specs, the same guard, the same decision, obligations and audit event as over MCP, so what the API shows is
what any MCP client of the person would get. Only tools that read can be called here.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import anyio

from casewright.contracts.base import Contract
from casewright.contracts.principal import Actor, Caller, Principal, ServerName
from casewright.errors import CasewrightError, InputError, UnavailableError
from casewright.services import Services
from servers.build import ServerFactory
from servers.guard import Guard, enter_call, leave_call
from servers.spec import READING_VERBS, ToolDefinition

AnswerT = TypeVar("AnswerT", bound=Contract)


class OwnReading:
    """What one person reads of one server, of one case at most."""

    def __init__(
        self, services: Services, principal: Principal, server: ServerName, *, session: str, case_id: str = ""
    ) -> None:
        self._services = services
        self._server: ServerName = server
        self._guard = Guard(services, server=server)
        self._definitions = {found.spec.name: found for found in ServerFactory(services).definitions(server)}
        self._caller = Caller(
            principal=principal,
            actor=Actor(kind="user", run_id=session, case_id=case_id),
            audience=f"casewright:{server}",
            scopes=services.exchange.own_tools(principal, server),
            token_id="",
            expires_at=0,
        )

    async def read(self, tool: str, result: type[AnswerT], arguments: Mapping[str, Any] | None = None) -> AnswerT:
        """Call a tool that reads.

        Raises:
            DeniedError: the policy says no, or there is nothing to read; audited with its reason.
            NotFoundError, InputError, ConflictError: as the tool says it.
            UnavailableError: it took too long.
        """
        definition = self._reading(tool)
        canonical = _canonical(definition, arguments or {})
        call = await self._guard.admit(self._caller, definition, canonical)
        token = enter_call(call)
        try:
            with anyio.fail_after(self._services.settings.tool_timeout_seconds):
                answer = await definition.spec.fn(**canonical)
        except CasewrightError as error:
            await self._guard.failed(call, error)
            raise
        except TimeoutError as error:
            await self._guard.failed(call, error)
            raise UnavailableError(f"{tool!r} took too long; try again in a moment") from error
        finally:
            leave_call(token)
        if not isinstance(answer, result):
            raise TypeError(f"{tool!r} answered with {type(answer).__name__}, not {result.__name__}")
        return answer

    def _reading(self, tool: str) -> ToolDefinition:
        definition = self._definitions[tool]
        if definition.spec.verb not in READING_VERBS:
            raise InputError(f"{tool!r} changes something; it is called over MCP only")
        return definition


def _canonical(definition: ToolDefinition, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with their defaults, as they are decided on, recorded and run."""
    model = definition.tool.fn_metadata.arg_model.model_validate(dict(arguments))
    return model.model_dump(mode="json", exclude_none=True)
