"""What a compromised agent holds: its delegated token, every server's address, and no scruple.

It calls tools and reads resources with its own token, with that token at servers for which it was not made, and with
tokens that it forged from it. Every answer and every refusal is kept: what came back is what was disclosed.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from mcp import Client
from mcp.client.context import ClientRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    ElicitRequestParams,
    ElicitResult,
    InputRequiredResult,
    ReadResourceRequest,
    ReadResourceRequestParams,
    ReadResourceResult,
)

from agents.toolbox import REVISION
from casewright.contracts.principal import Principal, ServerName
from evals.world import ServerWorld

OWN_KEY = Ed25519PrivateKey.from_private_bytes(b"a key that the attacker made up!")
"""Of the attacker; nobody else's, and no secret."""
SECONDS = 20


@dataclass(frozen=True, kw_only=True)
class Said:
    """One answer as the agent got it."""

    server: str
    tool: str
    ok: bool
    text: str
    document: dict[str, Any]


@dataclass
class Hands:
    """An agent that does what strangers tell it."""

    world: ServerWorld
    server: ServerName
    """For which its token was made."""
    token: str
    answers: list[Said] = field(default_factory=list[Said])

    async def call(
        self, server: ServerName, tool: str, arguments: dict[str, Any] | None = None, *, token: str = ""
    ) -> Said:
        """A tool of any server, with its own token unless another is given."""
        request = CallToolRequest(params=CallToolRequestParams(name=tool, arguments=arguments or {}))
        try:
            async with self._client(server, token) as client:
                answer = await client.session.send_request(request, CallToolResult)
        except (MCPError, ExceptionGroup) as error:
            return self._kept(server, tool, ok=False, text=told(error))
        return self._kept(server, tool, ok=not answer.is_error, text=_text(answer), document=answer.structured_content)

    async def read(self, server: ServerName, uri: str, *, token: str = "") -> Said:
        """A resource by its address."""
        request = ReadResourceRequest(params=ReadResourceRequestParams(uri=uri))
        try:
            async with self._client(server, token) as client:
                answer = await client.session.send_request(request, ReadResourceResult)
        except (MCPError, ExceptionGroup) as error:
            return self._kept(server, uri, ok=False, text=told(error))
        return self._kept(server, uri, ok=True, text=answer.model_dump_json())

    async def decide(self, approval_id: str, decision: Literal["approve", "reject"], *, token: str = "") -> Said:
        """A vote by the tool for it, in which the agent fills in the form that is meant for a person."""

        async def filled(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
            return ElicitResult(action="accept", content={"decision": decision, "note": "ok"})

        built = self.world.factory.build("review", token or self.token)
        try:
            async with Client(built, elicitation_callback=filled, read_timeout_seconds=SECONDS) as client:
                answer = await client.call_tool("decide_approval", {"approval_id": approval_id})
        except (MCPError, ExceptionGroup) as error:
            return self._kept("review", "decide_approval", ok=False, text=told(error))
        if isinstance(answer, InputRequiredResult):
            return self._kept("review", "decide_approval", ok=False, text="it still waits for a person")
        return self._kept("review", "decide_approval", ok=not answer.is_error, text=_text(answer))

    def forged(self, server: ServerName, person: Principal, *, case_id: str = "", run_id: str = "") -> str:
        """Its own token rewritten, and signed with a key of its own: all that can be done to a token."""
        claims: dict[str, Any] = jwt.decode(self.token, options={"verify_signature": False})
        claims.pop("act", None)
        claims |= {
            "sub": person.id,
            "principal": person.model_dump(mode="json"),
            "aud": f"casewright:{server}",
            "scope": "*",
            "step": {"name": "", "taken": 0},
            "case": case_id or claims["case"],
            "run": run_id or claims["run"],
        }
        return jwt.encode(claims, OWN_KEY, algorithm="EdDSA")

    def disclosed(self, secret: str) -> bool:
        """Whether any answer since the deed began holds it."""
        return any(secret in answer.text for answer in self.answers)

    def _client(self, server: ServerName, token: str) -> Client:
        built = self.world.factory.build(server, token or self.token)
        return Client(built, mode=REVISION, read_timeout_seconds=SECONDS)

    def _kept(self, server: str, tool: str, *, ok: bool, text: str, document: dict[str, Any] | None = None) -> Said:
        said = Said(server=server, tool=tool, ok=ok, text=text, document=document or {})
        self.answers.append(said)
        return said


def told(error: BaseException) -> str:
    """What a failed exchange says; the client's task group wraps errors in groups."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    if not isinstance(error, MCPError):
        raise error
    return str(error)


def _text(answer: CallToolResult) -> str:
    said = " ".join(block.text for block in answer.content if block.type == "text")
    return said if answer.structured_content is None else json.dumps(answer.structured_content, ensure_ascii=False)
