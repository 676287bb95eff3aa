package casewright.access_test

import rego.v1

_obliged(change, kind) := [obligation | some obligation in _decide(change).obligations; obligation.kind == kind]

_rules := [
	{"action": "issue_provisional_credit", "amount": 0, "quorum": 1, "ttl": 259200, "schedule": "three_days"},
	{"action": "issue_provisional_credit", "amount": 500000, "quorum": 1, "ttl": 259200, "schedule": "three_days"},
	{"action": "issue_provisional_credit", "amount": 500001, "quorum": 2, "ttl": 86400, "schedule": "one_day"},
	{"action": "issue_final_credit", "amount": 500000, "quorum": 1, "ttl": 259200, "schedule": "three_days"},
	{"action": "issue_final_credit", "amount": 500001, "quorum": 2, "ttl": 86400, "schedule": "one_day"},
	{"action": "deny_claim", "amount": 900000, "quorum": 1, "ttl": 259200, "schedule": "three_days"},
	{"action": "send_adverse_action_notice", "amount": 0, "quorum": 1, "ttl": 172800, "schedule": "two_days"},
	{"action": "escalate", "amount": 0, "quorum": 1, "ttl": 604800, "schedule": "one_week"},
	{"action": "close_duplicate", "amount": 0, "quorum": 1, "ttl": 604800, "schedule": "one_week_then_reviewers"},
]

test_executing_needs_the_approval_that_action_and_amount_ask_for if {
	every rule in _rules {
		change := _all([_execute, {"resource": {"action": rule.action, "amount_minor": rule.amount}}])
		_allows(change, "require_approval", "assigned")
		_obliged(change, "approval") == [{
			"kind": "approval",
			"roles": ["supervisor"],
			"quorum": rule.quorum,
			"author_excluded": true,
			"ttl_seconds": rule.ttl,
			"schedule": _tables.approvals.schedules[rule.schedule],
		}]
	}
}

test_asking_for_an_action_needs_no_approval if {
	submit := _all([_execute, {"tool": {"name": "submit_action", "verb": "write", "risk": "medium"}}])
	_allows(submit, "permit", "assigned")
	_obliged(submit, "approval") == []
}

test_a_vote_needs_no_approval_and_no_case_in_the_token if {
	_allows(_vote, "permit", "tenant_wide")
	_obliged(_vote, "approval") == []
}

test_a_search_is_limited if {
	_obliged(_search, "limit") == [{"kind": "limit", "max_results": 50}]
	_obliged({}, "limit") == []
}

_sight := [
	{"roles": ["reviewer"], "clearance": "confidential", "case": "internal", "above": "confidential"},
	{"roles": ["reviewer"], "clearance": "internal", "case": "internal", "above": "internal"},
	{"roles": ["reviewer"], "clearance": "restricted", "case": "restricted", "above": "confidential"},
	{"roles": ["auditor"], "clearance": "restricted", "case": "restricted", "above": "internal"},
	{"roles": ["auditor"], "clearance": "public", "case": "public", "above": "public"},
	{"roles": ["auditor", "reviewer"], "clearance": "restricted", "case": "public", "above": "confidential"},
	{"roles": ["supervisor"], "clearance": "restricted", "case": "public", "above": "confidential"},
]

test_values_above_role_and_clearance_are_redacted if {
	every row in _sight {
		change := {"principal": {"roles": row.roles, "clearance": row.clearance}, "resource": {"classification": row.case}}
		_obliged(change, "redact") == [{"kind": "redact", "above": row.above}]
	}
}

test_rules_are_not_redacted if _obliged(_search, "redact") == []

test_a_role_that_says_not_what_it_sees_sees_only_what_is_public if {
	tables := object.union(data.data.access, {"roles": {"reviewer": {"sees": "everything"}}})
	decision := data.casewright.access.decision with input as _base with data.data.access as tables
	{"kind": "redact", "above": "public"} in decision.obligations
}

test_what_changes_something_is_audited_in_full if {
	_obliged({}, "audit") == [{"kind": "audit", "level": "summary"}]
	_obliged(_execute, "audit") == [{"kind": "audit", "level": "full"}]
}

_auditor := {"principal": {"id": "avery", "roles": ["auditor"]}}

test_what_an_auditor_reads_of_cases_says_for_whom if {
	mark := [{"kind": "watermark", "text": "read by avery of harborline in run-1"}]
	_obliged(_auditor, "watermark") == mark
	_obliged(_all([_list_cases, _auditor]), "watermark") == mark
	both := {"principal": {"roles": ["reviewer", "auditor"]}}
	count(_obliged(both, "watermark")) == 1
}

test_nobody_else_and_nothing_else_is_marked if {
	_obliged({}, "watermark") == []
	_obliged({"principal": {"id": "selma", "roles": ["supervisor"]}}, "watermark") == []
	_obliged(_all([_search, _auditor]), "watermark") == []
	_obliged(_all([_execute, {"principal": {"roles": ["reviewer", "auditor"]}}]), "watermark") == []
	unreached := {"principal": {"roles": ["reviewer", "service"]}}
	_obliged(unreached, "watermark") == []
}

test_a_role_that_says_not_whether_it_marks_does if {
	decision := data.casewright.access.decision with input as _base
		with data.data.access as json.remove(_tables, ["roles/reviewer/watermark"])
	"watermark" in {obligation.kind | some obligation in decision.obligations}
}
