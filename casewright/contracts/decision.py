"""The decision document and its input, version 1: the whole language between code and Rego.

The input is total: every path is present, nothing is null, and everything has a bound. An
undefined, late or malformed decision is a deny; `Denied` is what the guard then holds. JSON
schemas with the same content are in `policies/schemas/`.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, WithJsonSchema

from casewright.contracts.approval import Schedule
from casewright.contracts.base import Contract
from casewright.contracts.controls import Controls

INPUT_SCHEMA = "input/v1"
DECISION_SCHEMA = "decision/v1"
LARGEST_INTEGER = 2**53
MAX_SCALAR_CHARACTERS = 2_000
"""A longer argument is represented by its digest."""
AuditLevel = Literal["summary", "full"]
Verb = Literal["list", "read", "search", "check", "write", "execute"]
Risk = Literal["low", "medium", "high"]
Level = Literal["public", "internal", "confidential", "restricted"]
Origin = Literal["caller", "case", "model", "untrusted"]

Text = Annotated[str, Field(max_length=400)]
Name = Annotated[str, Field(min_length=1, max_length=400)]
Texts = Annotated[tuple[Text, ...], Field(max_length=1_000)]
Count = Annotated[int, Field(ge=0, le=LARGEST_INTEGER)]
Minor = Annotated[int, Field(ge=-LARGEST_INTEGER, le=LARGEST_INTEGER)]
ArgumentName = Annotated[str, Field(min_length=1, max_length=200)]
_ARGUMENT: dict[str, Any] = {
    "anyOf": [
        {"type": "boolean"},
        {"type": "integer", "minimum": -LARGEST_INTEGER, "maximum": LARGEST_INTEGER},
        {"type": "string", "maxLength": MAX_SCALAR_CHARACTERS},
        {
            "type": "object",
            "properties": {"sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"}},
            "required": ["sha256"],
            "additionalProperties": False,
        },
    ]
}


class DigestInput(Contract):
    """Stands for an argument that is too long or has parts."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


Argument = Annotated[
    Annotated[bool, Field(strict=True)]
    | Annotated[int, Field(strict=True, ge=-LARGEST_INTEGER, le=LARGEST_INTEGER)]
    | Annotated[str, Field(strict=True, max_length=MAX_SCALAR_CHARACTERS)]
    | DigestInput,
    WithJsonSchema(_ARGUMENT),
]


class PrincipalInput(Contract):
    id: Name
    tenant: Name
    roles: Texts
    clearance: Level
    labels: Texts
    authentication: Text
    authenticated_at: Count


class ActorInput(Contract):
    kind: Literal["user", "agent"]
    agent: Text
    run_id: Text
    case_id: Text
    step: Text
    """The graph node the agent acts in; empty for a person."""
    scopes: Texts


class ToolInput(Contract):
    server: Text
    kind: Literal["tool", "resource", "prompt", "completion"]
    name: Text
    verb: Verb
    risk: Risk
    definition_hash: Text


class ResourceInput(Contract):
    """What is asked for, loaded by the server; never from the arguments."""

    kind: Literal["none", "corpus", "case", "draft", "action"]
    exists: bool
    id: Text = ""
    tenant: Text = ""
    team: Text = ""
    classification: Level = "restricted"
    sealed: bool = True
    """The whole matter is sealed."""
    assigned_to: Texts = ()
    conflicts: Texts = ()
    state: Text = ""
    author: Text = ""
    """Of a draft: who wrote it."""
    action: Text = ""
    """Of an action: its kind; with `amount_minor` it selects the approval rule."""
    amount_minor: Minor = 0
    run_id: Text = ""


class BudgetsInput(Contract):
    """What the run has spent, by the names that limits are set on."""

    tool_calls: Count
    steps: Count


class ContextInput(Contract):
    now_ns: Annotated[int, Field(ge=0, lt=2**63)]
    step: Count
    """Graph steps of the run so far; 0 for a person."""
    budgets: BudgetsInput
    controls: Controls
    """The newest live controls."""
    release: Text


class DecisionInput(Contract):
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    schema_version: Literal["input/v1"] = Field(default=INPUT_SCHEMA, alias="schema")
    mode: Literal["list", "call"]
    """`list`: arguments are unknown, answer whether a call could ever be allowed."""
    principal: PrincipalInput
    actor: ActorInput
    tool: ToolInput
    resource: ResourceInput
    arguments: Annotated[dict[ArgumentName, Argument], Field(max_length=100)]
    arguments_digest: Text
    provenance: Annotated[dict[ArgumentName, Origin], Field(max_length=100)]
    """Origin of each argument by name; `untrusted`: the run has read text that nobody vouches for."""
    context: ContextInput


class Reason(Contract):
    code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,79}$")]
    message: Annotated[str, Field(max_length=2_000)]


class ApprovalObligation(Contract):
    kind: Literal["approval"]
    roles: tuple[str, ...] = Field(min_length=1, max_length=100)
    quorum: int = Field(ge=1, le=5)
    author_excluded: Literal[True]
    ttl_seconds: int = Field(ge=60, le=30 * 86_400)
    schedule: Schedule = Schedule()
    """Decisions that were recorded without one have the empty one."""


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


class WatermarkObligation(Contract):
    """What leaves the server says for whom it was made."""

    kind: Literal["watermark"]
    text: Annotated[str, Field(min_length=1, max_length=1_000)]


Obligation = ApprovalObligation | RedactObligation | LimitObligation | AuditObligation | WatermarkObligation


class DecisionFilters(Contract):
    """Row filters for reads; the server applies them before it reads, as a prefilter."""

    tenant: Text
    labels: Texts
    sealed: bool
    """True: the caller may see sealed evidence and sealed matters."""


class Decision(Contract):
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    schema_version: Literal["decision/v1"] = Field(alias="schema")
    allow: bool
    effect: Literal["permit", "deny", "require_approval", "maybe"]
    """`maybe` answers listings alone: whether a call is permitted depends on what it asks for."""
    reasons: Annotated[tuple[Reason, ...], Field(max_length=200)]
    """Sorted by code and message, each once."""
    obligations: Annotated[tuple[Obligation, ...], Field(max_length=5)]
    filters: DecisionFilters
    ttl_seconds: int = Field(ge=0, le=3600)
    package: Annotated[str, Field(max_length=200)]
    revision: Annotated[str, Field(max_length=200)]
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
