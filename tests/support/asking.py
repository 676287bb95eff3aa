"""Clients whose user answers, refuses, or cannot be asked; and the rounds of a question one by one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mcp import Client
from mcp.client.context import ClientRequestContext
from mcp_types import (
    CallToolResult,
    ElicitRequestFormParams,
    ElicitRequestParams,
    ElicitRequestURLParams,
    ElicitResult,
    InputRequiredResult,
)

from casewright.contracts.principal import ServerName
from tests.support.installation import Bearer, Mode, World

APPROVE: Mapping[str, Any] = {"decision": "approve", "note": "seen"}
REJECT: Mapping[str, Any] = {"decision": "reject", "note": "not this"}
ACCEPTED = ElicitResult(action="accept", content=dict(APPROVE))


@dataclass
class User:
    """Somebody in front of a client, who fills in every form alike and keeps what they were shown."""

    content: Mapping[str, Any] | None = None
    """What they fill in; None: they decline."""
    shown: list[str] = field(default_factory=list[str])
    forms: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    links: list[str] = field(default_factory=list[str])

    async def answer(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        self.shown.append(params.message)
        if isinstance(params, ElicitRequestURLParams):
            self.links.append(params.url)
            return ElicitResult(action="accept")
        assert isinstance(params, ElicitRequestFormParams)
        self.forms.append(dict(params.requested_schema))
        if self.content is None:
            return ElicitResult(action="decline")
        return ElicitResult(action="accept", content=dict(self.content))


def client_of(world: World, server: ServerName, bearer: Bearer, user: User, *, mode: Mode = "auto") -> Client:
    """A client in this process that can ask this user, not yet open."""
    built = world.factory.build(server, world.token(server, bearer))
    return Client(built, mode=mode, elicitation_callback=user.answer, read_timeout_seconds=60)


@dataclass(kw_only=True)
class Rounds:
    """Calls of one tool by the revision in which an answer comes with the next call, each made by hand."""

    client: Client
    tool: str
    arguments: dict[str, Any]

    async def ask(self) -> InputRequiredResult:
        """The first round, which must be a question."""
        found = await self.send()
        assert isinstance(found, InputRequiredResult), found
        assert found.request_state
        return found

    async def send(
        self, answers: Mapping[str, ElicitResult] | None = None, state: str | None = None, **changes: Any
    ) -> CallToolResult | InputRequiredResult:
        """One round with these answers and this state, whatever they are."""
        return await self.client.session.call_tool(
            self.tool,
            self.arguments | changes,
            input_responses=dict(answers) if answers is not None else None,
            request_state=state,
            allow_input_required=True,
        )

    async def answer(self, asked: InputRequiredResult, given: ElicitResult = ACCEPTED) -> CallToolResult:
        """The round after a question; its result must be the call's own."""
        found = await self.send(answers_to(asked, given), asked.request_state)
        assert isinstance(found, CallToolResult), found
        return found


def answers_to(asked: InputRequiredResult, given: ElicitResult = ACCEPTED) -> dict[str, ElicitResult]:
    """The same answer to everything that is asked."""
    assert asked.input_requests
    return dict.fromkeys(asked.input_requests, given)
