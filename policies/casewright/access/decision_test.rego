package casewright.access_test

import rego.v1

_tables := data.data.access

test_an_assigned_reviewer_reads_the_case if _allows({}, "permit", "assigned")

test_a_supervisor_reads_every_case_of_the_tenant if {
	_allows({"principal": {"id": "selma", "roles": ["supervisor"]}}, "permit", "tenant_wide")
}

test_an_auditor_reads_every_case_of_the_tenant if {
	_allows({"principal": {"id": "avery", "roles": ["auditor"]}}, "permit", "tenant_wide")
}

test_rules_are_open_to_every_role if {
	every role, _ in _tables.roles {
		_allows(_all([_search, {"principal": {"roles": [role]}}]), "permit", "open_to_role")
	}
}

test_every_tool_in_the_table_is_open_to_a_role_in_the_table if {
	every tools in _tables.tools {
		every tool in tools {
			some role in tool.roles
			tool.verb in _tables.roles[role].verbs
		}
	}
}

test_every_tool_of_an_agent_is_in_the_table if {
	every agent in _tables.agents {
		every name in agent.tools {
			_tables.tools[split(name, "/")[0]][split(name, "/")[1]]
		}
	}
}

test_a_listing_answers_maybe_for_what_depends_on_the_resource if {
	_allows({"mode": "list"}, "maybe", "could_be_allowed")
	_allows(
		_all([_search, {"mode": "list", "tool": {"name": "get_clause", "verb": "read"}}]),
		"maybe", "could_be_allowed",
	)
	_allows(_all([_execute, {"mode": "list"}]), "maybe", "could_be_allowed")
	_allows({"mode": "list", "principal": {"roles": ["supervisor"]}}, "maybe", "could_be_allowed")
	unknown := {"mode": "list", "resource": {"action": "", "author": ""}}
	_allows(_all([_vote, unknown]), "maybe", "could_be_allowed")
}

test_a_listing_of_cases_or_their_parts_answers_maybe if {
	_allows({"mode": "list", "tool": {"name": "list_evidence", "verb": "list"}}, "maybe", "could_be_allowed")
}

test_a_listing_has_no_obligations if {
	every change in [_search, _execute, _list_cases, {}] {
		_decide(_all([change, {"mode": "list"}])).obligations == []
	}
}

test_what_has_no_resource_asks_nothing_of_it if {
	odd := {"resource": {"exists": false, "tenant": "", "classification": "restricted", "conflicts": ["rosa"]}}
	_allows(_all([_list_cases, odd]), "permit", "open_to_role")
	_allows(_all([odd, {"mode": "list", "resource": {"assigned_to": []}}]), "maybe", "could_be_allowed")
	other_run := {"mode": "list", "resource": {"run_id": "run-2"}}
	_allows(_all([_execute, _agent("executor", _execute.tool), other_run]), "maybe", "could_be_allowed")
}

test_a_listing_answers_permit_for_what_depends_on_nothing if {
	_allows(_all([_search, {"mode": "list"}]), "permit", "could_be_allowed")
	_allows(_all([_list_cases, {"mode": "list"}]), "permit", "could_be_allowed")
}

test_a_listing_ignores_the_resource_and_the_budget if {
	unknown := {"kind": "none", "exists": false, "id": "", "tenant": "", "assigned_to": []}
	_allows({"mode": "list", "resource": unknown, "context": {"budgets": {"tool_calls": 100000}}}, "maybe", "could_be_allowed")
}

test_filters_are_the_principals if {
	_decide({}).filters == {"tenant": "harborline", "labels": ["fraud-ops"], "sealed": false}
	_decide({"principal": {"roles": ["supervisor"]}}).filters.sealed == true
	_decide({"resource": {"tenant": "millbrook"}}).filters == {"tenant": "", "labels": [], "sealed": false}
}

test_a_listing_never_unseals if {
	_decide({"mode": "list", "principal": {"roles": ["supervisor"]}}).filters.sealed == false
}

test_a_role_that_does_not_reach_the_case_unseals_nothing if {
	tables := object.union(_tables, {"roles": {"supervisor": {"cases": "assigned"}}})
	doc := object.union(_base, {"principal": {"id": "rosa", "roles": ["reviewer", "supervisor"]}})
	decision := data.casewright.access.decision with input as doc
		with data.data.access as object.union(tables, {"roles": {"supervisor": {"verbs": ["write"]}}})
	decision.allow == true
	decision.filters.sealed == false
}

test_a_decision_names_its_schema_and_package_and_is_not_kept if {
	decision := _decide({})
	decision.schema == "decision/v1"
	decision.package == "casewright.access"
	decision.ttl_seconds == 0
}

test_a_role_without_a_rule_is_denied if {
	tables := object.union(_tables, {"roles": {"reviewer": {"cases": "none"}}})
	doc := object.union(_base, {"tool": {"server": "admin", "name": "ask", "verb": "search"}, "resource": {"kind": "corpus"}})
	decision := data.casewright.access.decision with input as doc with data.data.access as tables
	decision.allow == true
	other := data.casewright.access.decision with input as _base with data.data.access as tables
	other.allow == false
}

test_no_rule_that_allows_is_a_deny if {
	decision := data.casewright.access.decision with input as _base with data.casewright.access.allow as set()
	decision.allow == false
	decision.reasons == [{"code": "no_rule_allows", "message": "no rule allows this call"}]
}
