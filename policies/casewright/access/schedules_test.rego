package casewright.access_test

import future.keywords.not
import rego.v1

test_every_schedule_is_one_that_an_obligation_can_carry if {
	every schedule in _tables.approvals.schedules {
		object.keys(schedule) == {"reminders", "reassign_after_seconds", "escalate_after_seconds", "escalate_to"}
		times := [reminder.after_seconds | some reminder in schedule.reminders]
		times == sort({time | some time in times})
		every reminder in schedule.reminders {
			reminder.after_seconds >= 60
			reminder.to in {"roles", "assignee"}
		}
		_is_set(count(schedule.escalate_to)) == _is_set(schedule.escalate_after_seconds)
		every role in schedule.escalate_to { role in _tables.tools.admin.vote_approval.roles }
	}
}

_is_set(number) := number > 0

test_every_approval_rule_has_a_schedule_that_ends_before_it if {
	every rows in _tables.approvals.actions {
		every row in rows {
			schedule := _tables.approvals.schedules[row.schedule]
			schedule.escalate_after_seconds < row.ttl_seconds
			every reminder in schedule.reminders { reminder.after_seconds < row.ttl_seconds }
			every role in schedule.escalate_to { not role in row.roles }
		}
	}
}

test_a_rule_without_its_schedule_is_no_rule if {
	doc := object.union(_base, _execute)
	tables := json.remove(_tables, ["approvals/schedules/three_days"])
	decision := data.casewright.access.decision with input as doc with data.data.access as tables
	[reason.code | some reason in decision.reasons] == ["action_unknown"]
}

# Another reviewer of the case, on the closure of a duplicate.
_second := _all([_vote, {
	"principal": {"id": "tomas", "roles": ["reviewer"]},
	"resource": {"action": "close_duplicate", "amount_minor": 0, "assigned_to": ["rosa", "tomas"]},
}])

_escalated := {"resource": {"state": "approval_escalated"}}

test_further_roles_vote_once_their_time_has_come if {
	_denies(_second, "not_an_approver")
	_denies(_all([_second, {"resource": {"state": "approval_pending"}}]), "not_an_approver")
	_allows(_all([_second, _escalated]), "permit", "assigned")
	_allows(_all([_second, _escalated, {"principal": {"id": "selma", "roles": ["supervisor"]}}]), "permit", "tenant_wide")
}

test_an_escalation_lets_in_only_the_roles_of_its_rule if {
	_denies(_all([_second, _escalated, {"resource": {"action": "deny_claim"}}]), "not_an_approver")
	_denies(_all([_second, _escalated, {"principal": {"roles": ["auditor"]}}]), "role_missing")
}

test_an_escalation_lets_in_neither_the_author_nor_who_does_not_reach_the_case if {
	_denies(_all([_second, _escalated, {"principal": {"id": "rosa"}}]), "author_votes")
	_denies(_all([_second, _escalated, {"resource": {"conflicts": ["tomas"]}}]), "conflict_of_interest")
	_denies(_all([_second, _escalated, {"resource": {"assigned_to": ["rosa"]}}]), "not_an_approver")
	_denies(_all([_second, _escalated, {"resource": {"tenant": "millbrook"}}]), "other_tenant")
}
