package casewright.access_test

import rego.v1

_base := {
	"schema": "input/v1",
	"mode": "call",
	"principal": {
		"id": "rosa",
		"tenant": "harborline",
		"roles": ["reviewer"],
		"clearance": "confidential",
		"labels": ["fraud-ops"],
		"authentication": "local",
		"authenticated_at": 0,
	},
	"actor": {"kind": "user", "agent": "", "run_id": "run-1", "case_id": "HL-1", "step": "", "scopes": ["*"]},
	"tool": {
		"server": "case-facts",
		"kind": "tool",
		"name": "get_case",
		"verb": "read",
		"risk": "low",
		"definition_hash": "",
	},
	"resource": {
		"kind": "case",
		"exists": true,
		"id": "HL-1",
		"tenant": "harborline",
		"team": "disputes",
		"classification": "confidential",
		"sealed": false,
		"assigned_to": ["rosa"],
		"conflicts": [],
		"state": "open",
		"author": "",
		"action": "",
		"amount_minor": 0,
		"run_id": "",
	},
	"arguments": {},
	"arguments_digest": "",
	"provenance": {},
	"context": {
		"now_ns": 0,
		"step": 0,
		"budgets": {"tool_calls": 0, "steps": 0},
		"controls": {
			"version": 0,
			"switches": {"everything": false, "tools": [], "agents": [], "models": [], "tenants": []},
			"limits": {},
		},
		"release": "0.1.0",
	},
}

_search := {
	"tool": {"server": "policy-search", "name": "search_policies", "verb": "search"},
	"resource": {"kind": "corpus", "id": "", "classification": "public", "assigned_to": []},
}

_list_cases := {
	"tool": {"server": "case-facts", "name": "list_cases", "verb": "list"},
	"resource": {"kind": "none", "id": "", "assigned_to": []},
}

_execute := {
	"tool": {"server": "drafting", "name": "execute_action", "verb": "execute", "risk": "high"},
	"resource": {
		"kind": "action",
		"action": "issue_provisional_credit",
		"amount_minor": 50000,
		"author": "rosa",
		"run_id": "run-1",
	},
}

_vote := object.union(_execute, {
	"principal": {"id": "selma", "roles": ["supervisor"]},
	"actor": {"case_id": ""},
	"tool": {"server": "admin", "name": "vote_approval", "verb": "write"},
})

_agent(name, tool) := {
	"actor": {
		"kind": "agent",
		"agent": name,
		"step": object.get({"executor": "act", "verifier": "verify"}, name, name),
		"scopes": [tool.name],
	},
	"tool": tool,
}

_get_case := {"server": "case-facts", "name": "get_case", "verb": "read"}

_decide(change) := decision if {
	decision := data.casewright.access.decision with input as object.union(_base, change)
}

_all(changes) := object.union_n(changes)

_codes(change) := {reason.code | some reason in _decide(change).reasons}

_denies(change, code) if {
	decision := _decide(change)
	decision.allow == false
	decision.effect == "deny"
	decision.obligations == []
	some reason in decision.reasons
	reason.code == code
}

_allows(change, effect, code) if {
	decision := _decide(change)
	decision.allow == true
	decision.effect == effect
	{reason.code | some reason in decision.reasons} == {code}
}
