# METADATA
# title: Outcome proposal
# description: >-
#   Computes from facts and rules what is to be proposed for a case. The result is a proposal: it
#   carries no permission, and a case that no rule covers is escalated.
package casewright.outcome

import rego.v1

# METADATA
# title: Proposal
# description: >-
#   One action with its amount in minor units, its risk, the rules it rests on and the questions
#   that are open. Without outcome rules for the tenant the action is to escalate.
default proposal := {
	"action": "escalate",
	"amount_minor": 0,
	"risk": "high",
	"basis": [{
		"rule": "no_rule_applies",
		"clause": {"document_id": "", "label": ""},
		"because": "No outcome rule of this tenant covers the case; a supervisor must decide how it goes on.",
		"facts": [],
	}],
	"questions": [],
}

proposal := {
	"action": _action,
	"amount_minor": _amount,
	"risk": _risk,
	"basis": array.concat([_ground(_code, _facts)], _amount_grounds),
	"questions": _questions,
}

_tenant_rules := data.data.outcomes[_tenant]

_action := _action_of[_code]

_ground(rule, facts) := {
	"rule": rule,
	"clause": _tenant_rules.rules[rule].clause,
	"because": _tenant_rules.rules[rule].because,
	"facts": facts,
}

_facts := sort(_facts_of[_code])

default _questions := []

_questions := [question |
	some item in input.evidence.items
	_missing(item)
	question := sprintf("%s: %s. %s", [_request(item.id), item.title, item.why])
] if {
	_code == "evidence_missing"
}

_request(item_id) := "Take from our own records" if {
	some entry in data.data.checklists[_tenant][_case.case_type]
	entry.id == item_id
	entry.held_by == "institution"
} else := "Ask the customer for"

_action_of := {
	"bank_error": "issue_final_credit",
	"case_closed": "no_action",
	"complaint_not_upheld": "no_action",
	"complaint_upheld": "issue_final_credit",
	"credit_already_issued": "no_action",
	"credit_to_be_made_final": "escalate",
	"duplicate_claim": "close_duplicate",
	"employee_involved": "escalate",
	"error_confirmed": "issue_final_credit",
	"evidence_contradicted": "escalate",
	"evidence_missing": "request_information",
	"late_dispute": "deny_claim",
	"late_notice": "deny_claim",
	"late_notice_excused": "escalate",
	"late_unauthorized": "deny_claim",
	"late_unauthorized_within": "escalate",
	"merchant_credit_documented": "issue_final_credit",
	"mixed_currency": "escalate",
	"no_error_found": "deny_claim",
	"no_positive_sum": "escalate",
	"no_rule_applies": "escalate",
	"notice_already_sent": "no_action",
	"notice_due": "send_adverse_action_notice",
	"open_dispute": "issue_provisional_credit",
	"open_error": "issue_provisional_credit",
	"open_unauthorized_transfer": "issue_provisional_credit",
}
