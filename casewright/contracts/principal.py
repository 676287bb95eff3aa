"""Who is calling: the verified content of a token.

Values here come from a checked signature, never from arguments. They are deliberately *not*
permissions: what a caller may do is decided by the access policy.
"""

from typing import Literal

from pydantic import Field

from casewright.contracts.base import Contract
from casewright.contracts.case import Classification

ServerName = Literal["policy-search", "case-facts", "drafting", "review"]
SERVERS: tuple[ServerName, ...] = ("policy-search", "case-facts", "drafting", "review")
AudienceName = ServerName | Literal["orchestrator"]
"""What a token can be for: one server, or the orchestrator, which is the API."""


class Principal(Contract):
    """The person (or service) on whose behalf a call is made."""

    id: str
    tenant: str
    roles: tuple[str, ...]
    clearance: Classification
    labels: tuple[str, ...] = ()
    """Access labels the person holds, for example `fraud-ops`."""
    authenticated_at: int = 0
    """When the person proved who they are, seconds since the epoch."""
    authentication: Literal["local", "password", "mfa", "service"] = "local"


class Actor(Contract):
    """What acts for the principal: the person themself, or one of our agents in one run."""

    kind: Literal["user", "agent"]
    agent: str = ""
    """The agent's name; empty for a person."""
    run_id: str
    """The run, or the session of a person; retrievals and drafts are bound to it."""
    case_id: str = ""
    """The one case the token names; empty: none, and no case is readable."""
    step: str = ""
    """The graph node the agent acts in; empty for a person."""
    steps_taken: int = Field(default=0, ge=0, le=2**53, strict=True)
    """Graph steps the run has taken before this one; 0 for a person."""


class Caller(Contract):
    """A verified token: principal, actor, audience, scopes, expiry."""

    principal: Principal
    actor: Actor
    audience: str
    scopes: tuple[str, ...]
    """Tool names this token may call; `*` only for people."""
    token_id: str
    expires_at: int
    """Seconds since the epoch."""
