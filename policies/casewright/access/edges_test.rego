package casewright.access_test

import future.keywords.not
import rego.v1

test_what_is_no_input_gets_the_whole_default_denial if {
	decision := data.casewright.access.decision with input as {}
	decision == {
		"schema": "decision/v1",
		"allow": false,
		"effect": "deny",
		"reasons": [{"code": "input_malformed", "message": "the input is not a whole input/v1 document"}],
		"obligations": [],
		"filters": {"tenant": "", "labels": [], "sealed": false},
		"ttl_seconds": 0,
		"package": "casewright.access",
	}
}

test_a_mode_that_nobody_knows_has_no_effect if {
	every change in [{}, _search, _list_cases, _execute] {
		not data.casewright.access._effect with input as object.union(_base, _all([change, {"mode": "peek"}]))
	}
}

test_a_spent_budget_is_named if {
	spent := _decide({"context": {"budgets": {"tool_calls": 1000, "steps": 1000}}})
	[reason.message | some reason in spent.reasons] == [
		"the steps of this run are spent",
		"the tool calls of this run are spent",
	]
}

test_an_agent_reads_no_draft_of_another_run if {
	read := {"server": "drafting", "name": "get_draft", "verb": "read"}
	draft := _all([_agent("verifier", read), {"resource": {"kind": "draft", "run_id": "run-1"}}])
	_allows(draft, "permit", "assigned")
	_denies(_all([draft, {"resource": {"run_id": "run-2"}}]), "run_mismatch")
}

test_an_agent_without_a_step_has_that_one_fault if {
	_codes(_all([_agent("intake", _get_case), {"actor": {"step": ""}}])) == {"agent_step"}
}

test_who_may_not_use_a_search_has_that_one_fault if {
	_codes(_all([_search, {"principal": {"roles": ["root"]}}])) == {"role_missing"}
}

test_a_role_for_no_cases_does_not_reach_an_assigned_one if {
	tables := object.union(_tables, {"roles": {"reviewer": {"cases": "none"}}})
	decision := data.casewright.access.decision with input as _base with data.data.access as tables
	[reason.code | some reason in decision.reasons] == ["not_assigned"]
}

test_a_check_is_a_verb if {
	_allows({"tool": {"name": "check_evidence", "verb": "check"}}, "permit", "assigned")
}

test_a_person_is_no_agent_without_a_name if {
	_allows({"context": {"controls": {"switches": {"agents": [""]}}}}, "permit", "assigned")
}

test_an_auditors_listing_is_not_marked if {
	_decide(_all([_list_cases, _auditor, {"mode": "list"}])).obligations == []
}

test_what_changes_something_is_not_marked if {
	decision := data.casewright.access.decision with input as object.union(_base, _execute)
		with data.data.access as json.remove(_tables, ["roles/reviewer/watermark"])
	not "watermark" in {obligation.kind | some obligation in decision.obligations}
}

test_a_request_for_an_action_is_audited_in_full if {
	submit := _all([_execute, {"tool": {"name": "submit_action", "verb": "write", "risk": "medium"}}])
	_obliged(submit, "audit") == [{"kind": "audit", "level": "full"}]
}

_at(now_ns, authenticated_at) := _all([
	_execute,
	{"principal": {"authentication": "mfa", "authenticated_at": authenticated_at}, "context": {"now_ns": now_ns}},
])

test_ages_of_sign_ins_are_exact_to_the_nanosecond if {
	_allows(_at((_now + 28800) * 1000000000, _now), "require_approval", "assigned")
	_denies(_at(((_now + 28800) * 1000000000) + 1, _now), "authentication_old")
	_allows(_at(_now * 1000000000, _now + 60), "require_approval", "assigned")
	_denies(_at((_now * 1000000000) - 1, _now + 60), "authentication_old")
}

test_without_a_rule_for_sign_ins_they_are_too_weak_and_nothing_else if {
	_removed("authentication/consequences", _at(0, _now)) == {"authentication_weak"}
}
