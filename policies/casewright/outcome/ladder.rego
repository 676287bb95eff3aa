# The order in which outcome rules are tried. The first that holds decides; none that holds
# without evidence judged complete may move money.
package casewright.outcome

import future.keywords.not
import rego.v1

_code := "case_closed" if {
	_case.state == "closed"
} else := "duplicate_claim" if {
	_case.duplicate_of != ""
} else := "no_rule_applies" if {
	not _judged
} else := "evidence_contradicted" if {
	_contradicted
} else := "employee_involved" if {
	count(_employees) > 0
} else := _late_code if {
	_late_code
} else := "evidence_missing" if {
	some item in input.evidence.items
	_missing(item)
} else := "no_rule_applies" if {
	not input.evidence.complete == true
} else := "mixed_currency" if {
	_mixed_currency
} else := _type_code if {
	_type_code
	_payable
} else := "no_positive_sum" if {
	_type_code
} else := "no_rule_applies"

_late_code := "late_notice_excused" if {
	_late
	_disputable
	_excused
} else := "late_notice" if {
	_late
	_case.case_type == "transfer_error"
} else := "late_dispute" if {
	_late
	_case.case_type == "card_dispute"
} else := "late_unauthorized" if {
	_late
	_case.case_type == "unauthorized_transfer"
	_all_after_window
} else := "late_unauthorized_within" if {
	_late
	_case.case_type == "unauthorized_transfer"
	count(_disputed) > 0
}

_type_code := "notice_already_sent" if {
	_case.case_type == "adverse_action"
	_reached("adverse_action_notice_sent")
} else := "notice_due" if {
	_case.case_type == "adverse_action"
} else := "complaint_upheld" if {
	_case.case_type == "complaint"
	_shown_for_customer
} else := "complaint_not_upheld" if {
	_case.case_type == "complaint"
	_shown_for_institution
} else := _error_code

_error_code := "no_error_found" if {
	_disputable
	_reached("investigation_found_no_error")
} else := "credit_to_be_made_final" if {
	_disputable
	_reached("investigation_found_error")
	_reached("provisional_credit_issued")
} else := "error_confirmed" if {
	_disputable
	_reached("investigation_found_error")
	_customer_share >= 0
} else := _open_code if {
	_disputable
	_still_open
}

_open_code := "credit_already_issued" if {
	_reached("provisional_credit_issued")
} else := "bank_error" if {
	_case.case_type == "transfer_error"
	_shown_for_customer
} else := "merchant_credit_documented" if {
	_case.case_type == "card_dispute"
	_shown_for_customer
} else := "open_unauthorized_transfer" if {
	_case.case_type == "unauthorized_transfer"
} else := "open_error" if {
	_case.case_type == "transfer_error"
} else := "open_dispute" if {
	_case.case_type == "card_dispute"
}
