package casewright.access_test

import rego.v1

_denials := [
	{"code": "tool_unknown", "change": {"tool": {"name": "drop_case"}}},
	{"code": "tool_unknown", "change": {"tool": {"server": "case_facts"}}},
	{"code": "tool_unknown", "change": {"tool": {"name": "GET_CASE"}}},
	{"code": "tool_mismatch", "change": {"tool": {"verb": "list"}}},
	{"code": "tool_mismatch", "change": {"tool": {"risk": "high"}}},
	{"code": "tool_mismatch", "change": {"tool": {"kind": "prompt"}}},
	{"code": "actor_malformed", "change": {"actor": {"agent": "intake"}}},
	{"code": "actor_malformed", "change": {"actor": {"step": "act"}}},
	{"code": "agent_tool", "change": _agent("router", _get_case)},
	{"code": "agent_tool", "change": _agent("nobody", _get_case)},
	{"code": "agent_tool", "change": _agent("", _get_case)},
	{"code": "agent_tool", "change": _agent("executor", _list_cases.tool)},
	{"code": "agent_step", "change": _all([_agent("intake", _get_case), {"actor": {"step": ""}}])},
	{"code": "agent_step", "change": _all([_agent("intake", _get_case), {"actor": {"step": "drafter"}}])},
	{"code": "agent_step", "change": _all([_execute, _agent("executor", _execute.tool), {"actor": {"step": "verify"}}])},
	{"code": "agent_step", "change": _all([_agent("intake", _get_case), {"mode": "list", "actor": {"step": "act"}}])},
	{"code": "agent_unbound", "change": _all([_agent("intake", _get_case), {"actor": {"run_id": ""}}])},
	{"code": "agent_unbound", "change": _all([_agent("intake", _get_case), {"actor": {"case_id": ""}}])},
	{"code": "scope_missing", "change": {"actor": {"scopes": []}}},
	{"code": "scope_missing", "change": {"actor": {"scopes": ["get_cas"]}}},
	{"code": "scope_missing", "change": _all([_agent("intake", _get_case), {"actor": {"scopes": ["*"]}}])},
	{"code": "role_missing", "change": {"principal": {"roles": []}}},
	{"code": "role_missing", "change": {"principal": {"roles": ["root"]}}},
	{"code": "role_missing", "change": {"principal": {"roles": ["policy_author"]}}},
	{"code": "role_missing", "change": _all([_execute, {"principal": {"roles": ["auditor"]}}])},
	{"code": "case_unnamed", "change": {"actor": {"case_id": ""}, "mode": "list"}},
	{"code": "resource_mismatch", "change": {"resource": {"kind": "draft"}}},
	{"code": "resource_mismatch", "change": {"resource": {"kind": "none"}}},
	{"code": "absent", "change": {"resource": {"exists": false}}},
	{"code": "other_tenant", "change": {"resource": {"tenant": "millbrook"}}},
	{"code": "other_tenant", "change": {"resource": {"tenant": ""}}},
	{"code": "clearance", "change": {"resource": {"classification": "restricted"}}},
	{"code": "clearance", "change": {"principal": {"clearance": "public"}}},
	{"code": "conflict_of_interest", "change": {"resource": {"conflicts": ["rosa"]}}},
	{"code": "case_mismatch", "change": {"actor": {"case_id": "HL-2"}}},
	{"code": "case_mismatch", "change": {"resource": {"id": ""}}},
	{"code": "not_assigned", "change": {"resource": {"assigned_to": ["tomas"]}}},
	{"code": "sealed_matter", "change": {"resource": {"sealed": true}}},
	{"code": "sealed_matter", "change": {"principal": {"roles": ["auditor"]}, "resource": {"sealed": true}}},
	{"code": "sealed_matter", "change": _all([_execute, {"resource": {"sealed": true}}])},
	{"code": "run_mismatch", "change": _all([
		_execute,
		_agent("executor", _execute.tool),
		{"resource": {"run_id": "run-2"}},
	])},
	{"code": "action_unknown", "change": _all([_execute, {"resource": {"action": "close_account"}}])},
	{"code": "action_unknown", "change": _all([_execute, {"resource": {"action": ""}}])},
	{"code": "action_unknown", "change": _all([_execute, {"resource": {"action": "request_information"}}])},
	{"code": "action_unknown", "change": _all([_execute, {"resource": {"amount_minor": -1}}])},
	{"code": "author_unknown", "change": _all([_vote, {"resource": {"author": ""}}])},
	{"code": "author_votes", "change": _all([_vote, {"resource": {"author": "selma"}}])},
	{"code": "not_an_approver", "change": _all([
		_vote,
		{"principal": {"id": "tomas", "roles": ["reviewer"]}, "resource": {"assigned_to": ["tomas"]}},
	])},
	{"code": "budget_spent", "change": {"context": {"budgets": {"tool_calls": 1000}}}},
	{"code": "budget_spent", "change": {"context": {"step": 1000}}},
	{"code": "budget_spent", "change": _all([_agent("intake", _get_case), {"context": {"budgets": {"tool_calls": 250}}}])},
]

test_each_deny_rule_fires_with_its_code if {
	every row in _denials { _denies(row.change, row.code) }
}

test_an_agent_with_its_own_tool_case_and_run_is_permitted if {
	_allows(_agent("intake", _get_case), "permit", "assigned")
	_allows(_all([_execute, _agent("executor", _execute.tool)]), "require_approval", "assigned")
}

test_a_budget_is_not_spent_before_its_last_call if {
	_allows(_all([_agent("intake", _get_case), {"context": {"budgets": {"tool_calls": 249, "steps": 249}, "step": 249}}]), "permit", "assigned")
}

test_a_draft_is_named_by_its_case_or_below_it if {
	draft := {"tool": {"server": "drafting", "name": "get_draft"}, "resource": {"kind": "draft"}}
	_allows(draft, "permit", "assigned")
	_allows(_all([draft, {"resource": {"id": "HL-1/draft-9"}}]), "permit", "assigned")
	_denies(_all([draft, {"resource": {"id": "HL-10/draft-9"}}]), "case_mismatch")
}

test_who_may_open_seals_reaches_a_sealed_matter if {
	sealed := {"resource": {"sealed": true}}
	_allows(_all([sealed, {"principal": {"id": "selma", "roles": ["supervisor"]}}]), "permit", "tenant_wide")
	_allows(_all([sealed, {"mode": "list"}]), "maybe", "could_be_allowed")
	_allows(_all([_search, sealed]), "permit", "open_to_role")
}

test_who_may_open_seals_must_reach_the_sealed_matter if {
	tables := object.union(_tables, {"roles": {"supervisor": {"cases": "assigned"}}})
	doc := object.union(_base, {"principal": {"id": "selma", "roles": ["supervisor"]}, "resource": {"sealed": true}})
	away := data.casewright.access.decision with input as doc with data.data.access as tables
	{reason.code | some reason in away.reasons} == {"not_assigned", "sealed_matter"}
	named := object.union(doc, {"resource": {"assigned_to": ["selma"]}})
	there := data.casewright.access.decision with input as named with data.data.access as tables
	there.allow == true
}

test_an_agent_has_in_each_step_only_tools_of_its_own if {
	every agent in _tables.agents {
		every tools in agent.steps {
			every tool in tools { tool in agent.tools }
		}
	}
}
