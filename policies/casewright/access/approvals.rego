# Who must approve what.
# Picks the one approval rule for an action and its amount; an action without a rule is denied.

package casewright.access

import future.keywords.not
import rego.v1

# Two rows that fit one amount with different content are a conflict, hence an error, hence a deny.
# A row whose schedule is not there is no rule.
_approval := {"roles": row.roles, "quorum": row.quorum, "ttl_seconds": row.ttl_seconds, "schedule": schedule} if {
	some row in _tables.approvals.actions[input.resource.action]
	input.resource.amount_minor >= row.from_minor
	input.resource.amount_minor <= row.to_minor
	schedule := _tables.approvals.schedules[row.schedule]
}

# METADATA
# title: No approval rule
# description: The policy data does not say who approves an action of this kind and amount.
deny contains _reason("action_unknown", sprintf("no approval rule for %s", [input.resource.action])) if {
	input.mode == "call"
	_tool.resource == "action"
	not _approval
}

# METADATA
# title: Unknown author
# description: Nobody votes on what nobody asked for.
deny contains _reason("author_unknown", "the author of what is voted on is unknown") if {
	_is_vote
	input.resource.author == ""
}

# METADATA
# title: The author votes
# description: Whoever asked for an action does not approve it.
deny contains _reason("author_votes", "nobody approves what they asked for") if {
	_is_vote
	input.resource.author == input.principal.id
}

# METADATA
# title: Not an approver
# description: The approval rule asks for roles that the caller does not reach the case by.
deny contains _reason("not_an_approver", "no role of the caller may approve this") if {
	_is_vote
	not _approver
}

_is_vote if {
	input.mode == "call"
	_tool.resource == "action"
	not _tool.votes == false
}

_approver if {
	some role in _reaching
	role in _approval.roles
}

# The ledger says whether the time of the further roles has come. The state is that of the case in all other cases.
_approver if {
	input.resource.state == "approval_escalated"
	some role in _reaching
	role in _approval.schedule.escalate_to
}
