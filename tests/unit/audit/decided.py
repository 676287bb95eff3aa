"""Decisions as the guard records them: an event that names its decision and input, and the record."""

from typing import Any

from casewright.audit.entry import AuditEntry
from casewright.audit.recording import RecordingRules
from casewright.audit.records import DecisionRecord
from casewright.canonical import digest
from tests.unit.audit.kernel import TENANT

RULES = RecordingRules(
    paths={
        "mode": "keep",
        "principal": "keep",
        "principal.id": "encrypt",
        "arguments": "encrypt",
        "arguments.limit": "keep",
        "arguments.note": "redact",
        "context": "keep",
    }
)


def decision_input(number: int, **arguments: Any) -> dict[str, Any]:
    """A small input document; `number` makes it this decision's."""
    return {
        "mode": "call",
        "principal": {"id": "rosa", "tenant": TENANT, "roles": ["reviewer"]},
        "arguments": {"case_id": "HL-1", "limit": 5} | arguments,
        "resource": {"assigned_to": ["rosa"], "kind": "case"},
        "context": {"step": number},
    }


def decided(number: int, document: dict[str, Any] | None = None, **changes: Any) -> tuple[AuditEntry, DecisionRecord]:
    """The event and the record of one decision; `changes` replace fields of the entry or the record."""
    found = decision_input(number) if document is None else document
    named = {"decision_id": changes.pop("decision_id", f"dec-{number}"), "input_digest": digest(found)}
    entry: dict[str, Any] = {
        "kind": "call.allowed",
        "tenant": TENANT,
        "subject": "rosa",
        "run_id": "run-1",
        "body": {"tool": "get_case"} | named,
    }
    record: dict[str, Any] = named | {
        "mode": "call",
        "server": "case-facts",
        "tool": "get_case",
        "effect": "permit",
        "codes": ("access.assigned", "access.clearance"),
        "revision": "c" * 64,
        "engine": "embedded",
        "input": found,
        "recording": RULES,
    }
    for name, value in changes.items():
        (entry if name in entry else record)[name] = value
    return AuditEntry(**entry), DecisionRecord(**record)
