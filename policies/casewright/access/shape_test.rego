package casewright.access_test

import rego.v1

_problems(doc) := problems if {
	problems := data.casewright.access.problems with input as doc
}

_malformed(doc) if {
	decision := data.casewright.access.decision with input as doc
	decision.allow == false
	decision.reasons[0].code == "input_malformed"
}

_odd := [
	{"path": "schema", "change": {"schema": "input/v2"}},
	{"path": "mode", "change": {"mode": "peek"}},
	{"path": "principal.id", "change": {"principal": {"id": ""}}},
	{"path": "principal.tenant", "change": {"principal": {"tenant": ""}}},
	{"path": "principal.clearance", "change": {"principal": {"clearance": "top"}}},
	{"path": "principal.roles", "change": {"principal": {"roles": [1]}}},
	{"path": "principal.labels", "change": {"principal": {"labels": [null]}}},
	{"path": "principal", "change": {"principal": {"admin": true}}},
	{"path": "actor.kind", "change": {"actor": {"kind": "system"}}},
	{"path": "actor.scopes", "change": {"actor": {"scopes": [["*"]]}}},
	{"path": "tool.verb", "change": {"tool": {"verb": "delete"}}},
	{"path": "resource.kind", "change": {"resource": {"kind": "tenant"}}},
	{"path": "resource.classification", "change": {"resource": {"classification": ""}}},
	{"path": "resource", "change": {"resource": {"exists": "true"}}},
	{"path": "resource.assigned_to", "change": {"resource": {"assigned_to": [{}]}}},
	{"path": "context.budgets", "change": {"context": {"budgets": {"tool_calls": "0"}}}},
	{"path": "context.budgets.tool_calls", "change": {"context": {"budgets": {"tool_calls": 1.5}}}},
	{"path": "context", "change": {"context": {"controls": null}}},
	{"path": "context.controls", "change": {"context": {"controls": {"ceilings": {}}}}},
	{"path": "context.controls.version", "change": {"context": {"controls": {"version": -1}}}},
	{"path": "context.controls.switches", "change": {"context": {"controls": {"switches": {"everything": 0}}}}},
	{"path": "context.controls.switches.tools", "change": {"context": {"controls": {"switches": {"tools": [1]}}}}},
	{"path": "context.controls.switches.agents", "change": {"context": {"controls": {"switches": {"agents": [1]}}}}},
	{"path": "context.controls.switches.models", "change": {"context": {"controls": {"switches": {"models": [1]}}}}},
	{"path": "context.controls.switches.tenants", "change": {"context": {"controls": {"switches": {"tenants": [1]}}}}},
	{"path": "context.controls.limits", "change": {"context": {"controls": {"limits": {"robot": {}}}}}},
	{"path": "context.controls.limits", "change": {"context": {"controls": {"limits": {"agent": []}}}}},
	{"path": "context.controls.limits", "change": {"context": {"controls": {"limits": {"agent": {"cost": 1}}}}}},
	{"path": "context.controls.limits", "change": {"context": {"controls": {"limits": {"agent": {"steps": -1}}}}}},
	{"path": "context.controls.limits", "change": {"context": {"controls": {"limits": {"user": {"steps": "9"}}}}}},
	{"path": "context.now_ns", "change": {"context": {"now_ns": 0.5}}},
	{"path": "context.step", "change": {"context": {"step": -1}}},
	{"path": "context.budgets.steps", "change": {"context": {"budgets": {"steps": -1}}}},
	{"path": "principal.authenticated_at", "change": {"principal": {"authenticated_at": -1}}},
	{"path": "resource.amount_minor", "change": {"resource": {"amount_minor": 0.5}}},
	{"path": "resource.conflicts", "change": {"resource": {"conflicts": [0]}}},
	{"path": "arguments", "change": {"arguments": {"a": null}, "provenance": {"a": "case"}}},
	{"path": "arguments", "change": {"arguments": {"a": 0.5}, "provenance": {"a": "case"}}},
	{"path": "arguments", "change": {"arguments": {"a": {"b": 1}}, "provenance": {"a": "case"}}},
	{"path": "arguments", "change": {"arguments": {"a": ["b"]}, "provenance": {"a": "case"}}},
	{"path": "provenance", "change": {"arguments": {"query": 1}, "provenance": {"query": "god"}}},
	{"path": "provenance", "change": {"arguments": {"query": 1}}},
	{"path": "provenance", "change": {"provenance": {"query": "caller"}}},
	{"path": "input", "change": {"arguments": []}},
	{"path": "input", "change": {"arguments": 1}},
	{"path": "input", "change": {"provenance": true}},
	{"path": "principal", "change": {"principal": {"roles": 1}}},
	{"path": "context.controls", "change": {"context": {"controls": {"limits": 1}}}},
	{"path": "input", "change": {"extra": 1}},
]

test_what_is_odd_is_named_and_denied if {
	every row in _odd {
		row.path in _problems(object.union(_base, row.change))
		_malformed(object.union(_base, row.change))
	}
}

test_a_whole_document_has_no_problem if {
	_problems(_base) == set()
	limits := {"context": {"controls": {"limits": {"agent": {"steps": 1}, "user": {"tool_calls": 1}}}}}
	_allows(limits, "permit", "assigned")
	_allows({"arguments": {"a": 1, "b": "x", "c": true, "d": {"sha256": ""}}, "provenance": {"a": "caller", "b": "case", "c": "model", "d": "untrusted"}}, "permit", "assigned")
}

test_every_missing_section_is_denied if {
	every section, _ in _base { _malformed(object.remove(_base, [section])) }
}

test_every_missing_field_is_denied if {
	fields := [[section, field] | some section, content in _base; is_object(content); some field, _ in content]
	count(fields) > 30
	every path in fields {
		rest := object.remove(_base[path[0]], [path[1]])
		_malformed(object.union(object.remove(_base, [path[0]]), {path[0]: rest}))
	}
}

test_what_is_no_document_is_denied if {
	every doc in [{}, [], "input/v1", 7, null, true] { _malformed(doc) }
}
