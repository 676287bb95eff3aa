"""The decision document and its input, version 1: the whole language between code and Rego.

The input is total: every path is present and nothing is null. An undefined, late or malformed
decision is a deny; `Denied` is what the guard then holds. JSON schemas with the same content
are in `policies/schemas/`.
"""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ConfigDict, Field

from casewright.contracts.base import Contract

INPUT_SCHEMA = "input/v1"
DECISION_SCHEMA = "decision/v1"
AuditLevel = Literal["summary", "full"]
Verb = Literal["list", "read", "search", "check", "write", "execute"]
Risk = Literal["low", "medium", "high"]


class PrincipalInput(Contract):
    id: str
    tenant: str
    roles: tuple[str, ...]
    clearance: Literal["public", "internal", "confidential", "restricted"]
    labels: tuple[str, ...]
    authentication: str
    authenticated_at: int


class ActorInput(Contract):
    kind: Literal["user", "agent"]
    agent: str
    run_id: str
    case_id: str
    scopes: tuple[str, ...]


class ToolInput(Contract):
    server: str
    kind: Literal["tool", "resource", "prompt", "completion"]
    name: str
    verb: Verb
    risk: Risk
    definition_hash: str


class ResourceInput(Contract):
    """What is asked for, loaded by the server; never from the arguments."""

    kind: Literal["none", "corpus", "case", "draft", "action"]
    exists: bool
    id: str = ""
    tenant: str = ""
    team: str = ""
    classification: Literal["public", "internal", "confidential", "restricted"] = "restricted"
    assigned_to: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    state: str = ""
    author: str = ""
    """Of a draft: who wrote it."""
    action: str = ""
    """Of an action: its kind; with `amount_minor` it selects the approval rule."""
    amount_minor: int = 0
    run_id: str = ""


class ContextInput(Contract):
    now_ns: int
    step: int
    tool_calls: int
    """Calls already made by this run."""
    release: str


class DecisionInput(Contract):
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    schema_version: Literal["input/v1"] = Field(default=INPUT_SCHEMA, alias="schema")
    mode: Literal["list", "call"]
    """`list`: arguments are unknown, answer whether a call could ever be allowed."""
    principal: PrincipalInput
    actor: ActorInput
    tool: ToolInput
    resource: ResourceInput
    arguments: dict[str, Any]
    arguments_digest: str
    provenance: dict[str, str]
    """Origin of each argument by name: `caller`, `case`, `model` or `untrusted`."""
    context: ContextInput


class Reason(Contract):
    code: str
    message: str


class ApprovalObligation(Contract):
    kind: Literal["approval"]
    roles: tuple[str, ...] = Field(min_length=1)
    quorum: int = Field(ge=1, le=5)
    author_excluded: Literal[True]
    ttl_seconds: int = Field(ge=60, le=30 * 86_400)


class RedactObligation(Contract):
    kind: Literal["redact"]
    above: Literal["public", "internal", "confidential"]
    """Fields classified higher than this are replaced before they leave the server."""


class LimitObligation(Contract):
    kind: Literal["limit"]
    max_results: int = Field(ge=1, le=1000)


class AuditObligation(Contract):
    kind: Literal["audit"]
    level: AuditLevel


Obligation = ApprovalObligation | RedactObligation | LimitObligation | AuditObligation


class DecisionFilters(Contract):
    """Row filters for reads; the server applies them before it reads, as a prefilter."""

    tenant: str
    labels: tuple[str, ...]
    sealed: bool
    """True: the caller may see sealed evidence."""


class Decision(Contract):
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    schema_version: Literal["decision/v1"] = Field(alias="schema")
    allow: bool
    effect: Literal["permit", "deny", "require_approval", "maybe"]
    reasons: tuple[Reason, ...]
    obligations: tuple[Obligation, ...]
    filters: DecisionFilters
    ttl_seconds: int = Field(ge=0, le=3600)
    package: str
    revision: str
    """Added by the engine: SHA-256 over the sorted policy files and data."""


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """The policy allowed exactly this; obligations must be met before the tool runs."""

    decision: Decision


@dataclass(frozen=True, kw_only=True)
class Denied:
    """Anything else. `code` is for audit and log only."""

    code: str
    detail: str
    revision: str


Verdict = Allowed | Denied
