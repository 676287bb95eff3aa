"""Two input documents that the access policy allows, from which matrices and attacks make all others."""

import json
from typing import Any

from casewright.contracts.decision import DecisionInput

Document = dict[str, Any]

READ_CASE: Document = {
    "schema": "input/v1",
    "mode": "call",
    "principal": {
        "id": "rosa",
        "tenant": "harborline",
        "roles": ["reviewer"],
        "clearance": "confidential",
        "labels": ["fraud-ops"],
        "authentication": "local",
        "authenticated_at": 1,
    },
    "actor": {"kind": "user", "agent": "", "run_id": "run-1", "case_id": "HL-1", "step": "", "scopes": ["*"]},
    "tool": {
        "server": "case-facts",
        "kind": "tool",
        "name": "get_case",
        "verb": "read",
        "risk": "low",
        "definition_hash": "0" * 64,
    },
    "resource": {
        "kind": "case",
        "exists": True,
        "id": "HL-1",
        "tenant": "harborline",
        "team": "disputes",
        "classification": "confidential",
        "sealed": False,
        "assigned_to": ["rosa"],
        "conflicts": [],
        "state": "open",
        "author": "",
        "action": "",
        "amount_minor": 0,
        "run_id": "",
    },
    "arguments": {"draft_version": 1, "note": "x"},
    "arguments_digest": "0" * 64,
    "provenance": {"draft_version": "caller", "note": "caller"},
    "context": {
        "now_ns": 2**52,
        "step": 0,
        "budgets": {"tool_calls": 0, "steps": 0},
        "controls": {
            "version": 0,
            "switches": {"everything": False, "tools": [], "agents": [], "models": [], "tenants": []},
            "limits": {},
        },
        "release": "0.1.0",
    },
}
"""A reviewer reads the case that is assigned to them."""

EXECUTE: Document = READ_CASE | {
    "tool": READ_CASE["tool"] | {"server": "drafting", "name": "execute_action", "verb": "execute", "risk": "high"},
    "resource": READ_CASE["resource"] | {"kind": "action", "action": "deny_claim", "author": "rosa", "run_id": "run-1"},
}


def typed(document: Document) -> DecisionInput:
    """The document as the guard would build it.

    Raises:
        ValidationError: it is none.
    """
    return DecisionInput.model_validate_json(json.dumps(document), strict=True)
