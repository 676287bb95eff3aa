package casewright.access_test

import rego.v1

# What people ask of runs.
_run_deeds := {
	"steer_run": {"verb": "write", "risk": "medium"},
	"answer_question": {"verb": "write", "risk": "medium"},
	"give_feedback": {"verb": "check", "risk": "low"},
}

_on_run(name) := {"tool": object.union(_run_deeds[name], {"server": "admin", "name": name})}

_elsewhere := {"resource": {"assigned_to": ["tomas"]}}

test_the_reviewer_of_a_case_steers_answers_and_judges_its_runs if {
	every name, _ in _run_deeds {
		_allows(_on_run(name), "permit", "assigned")
		_denies(_all([_on_run(name), _elsewhere]), "not_assigned")
	}
}

test_a_supervisor_steers_answers_and_judges_runs_of_the_tenant if {
	every name, _ in _run_deeds {
		supervisor := _all([_on_run(name), _elsewhere, {"principal": {"id": "selma", "roles": ["supervisor"]}}])
		_allows(supervisor, "permit", "tenant_wide")
		_denies(_all([supervisor, {"resource": {"tenant": "millbrook"}}]), "other_tenant")
		_denies(_all([supervisor, {"resource": {"conflicts": ["selma"]}}]), "conflict_of_interest")
		_denies(_all([supervisor, {"actor": {"case_id": "HL-2"}}]), "case_mismatch")
	}
}

test_an_auditor_judges_a_run_and_changes_none if {
	auditor := {"principal": {"id": "avery", "roles": ["auditor"]}}
	_allows(_all([_on_run("give_feedback"), auditor]), "permit", "tenant_wide")
	_denies(_all([_on_run("steer_run"), auditor]), "role_missing")
	_denies(_all([_on_run("answer_question"), auditor]), "role_missing")
}

test_no_agent_steers_answers_or_judges if {
	every name, _ in _run_deeds {
		tool := _on_run(name).tool
		every agent in object.keys(_tables.agents) { _denies(_agent(agent, tool), "agent_tool") }
	}
}

test_whoever_may_vote_sees_the_own_notices if {
	notices := {
		"tool": {"server": "admin", "name": "list_notices", "verb": "list"},
		"resource": {"kind": "none", "id": "", "assigned_to": []},
	}
	_allows(notices, "permit", "open_to_role")
	_denies(_all([notices, {"principal": {"roles": ["policy_author"]}}]), "role_missing")
}

_assign := object.union(_vote, {"tool": {"server": "admin", "name": "assign_approval", "verb": "write"}})

test_whoever_may_vote_says_who_is_to_vote_and_nobody_else if {
	_allows(_assign, "permit", "tenant_wide")
	_denies(_all([_assign, {"principal": {"roles": ["reviewer"]}}]), "not_an_approver")
	_denies(_all([_assign, {"principal": {"id": "rosa"}}]), "author_votes")
	_denies(_all([_assign, {"resource": {"tenant": "millbrook"}}]), "other_tenant")
}
