# The sum to be credited, what is withheld from it, and the risk that follows from it.
package casewright.outcome

import future.keywords.not
import rego.v1

_moves_money if _action_of[_code] in {"issue_provisional_credit", "issue_final_credit"}

default _amount := 0

_amount := _payable_sum if _moves_money

_disputed_sum := sum([transfer.amount_minor |
	some transfer in _disputed
	transfer.amount_minor > 0
])

_credits := {"issue_provisional_credit", "issue_final_credit"}

# A rule that moves no money is payable as it stands; a credit needs a positive sum.
_payable if not _action_of[_type_code] in _credits

_payable if _payable_sum > 0

_payable_sum := min({_disputed_sum - _deduction, object.get(_case, "claimed_amount_minor", _disputed_sum)})

_deduction := _limit("provisional_credit_withholding") if {
	_action_of[_type_code] == "issue_provisional_credit"
} else := _customer_share if {
	_type_code == "error_confirmed"
} else := 0

_deduction_rule := "customer_share" if {
	_code == "error_confirmed"
} else := "amount_withheld"

# What the customer bears of a confirmed loss; undefined, and so not payable, when unknown.
_customer_share := min({_limit("customer_liability"), _disputed_sum}) if {
	_case.case_type == "unauthorized_transfer"
}

_customer_share := 0 if _case.case_type in {"transfer_error", "card_dispute"}

_limit(id) := limit.amount_minor if {
	some limit in data.casewright.parameters.rules.limits
	limit.id == id
}

_risk := "low" if {
	_action in {"request_information", "close_duplicate", "no_action"}
} else := "high" if {
	_moves_money
	_amount > _tenant_rules.risk.high_above_minor
} else := "high" if {
	_action == "deny_claim"
	_disputed_sum > _tenant_rules.risk.high_denial_above_minor
} else := "low" if {
	_moves_money
	_amount <= _tenant_rules.risk.medium_above_minor
} else := "medium"

default _amount_grounds := []

_amount_grounds := array.concat(
	[_ground("amount_in_dispute", sort(_amount_facts))],
	array.concat(_deduction_ground, _cap_ground),
) if {
	_moves_money
}

default _deduction_ground := []

_deduction_ground := [_ground(_deduction_rule, sort(_notice_facts))] if _deduction > 0

default _cap_ground := []

_cap_ground := [_ground("claimed_amount_cap", ["case/claimed_amount_minor"])] if {
	_case.claimed_amount_minor < _disputed_sum - _deduction
}
