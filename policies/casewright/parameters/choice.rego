# Which variant of a deadline or limit a case calls for, and from which date it runs.
package casewright.parameters

import future.keywords.not
import rego.v1

_case := object.get(input, "case", {})

_tenant := object.get(_case, "tenant", "")

_days := object.get(input, "days", {})

_disputed := [transfer |
	some transfer in object.get(_case, "transactions", [])
	object.get(transfer, "disputed", false) == true
]

_credit_card if {
	_case.case_type == "card_dispute"
	some account in _case.accounts
	account.kind == "credit_card"
}

_error_case if _case.case_type in {"unauthorized_transfer", "transfer_error"}

_error_case if {
	_case.case_type == "card_dispute"
	not _credit_card
}

_new_account if {
	_days.account_age_at_transaction_days >= 0
	_days.account_age_at_transaction_days <= values.thresholds.new_account_days
}

_point_of_sale if {
	some transfer in _disputed
	transfer.channel == "point_of_sale"
}

_foreign if {
	some transfer in _disputed
	not transfer.country in {"US", "PR", "GU", "VI", "AS", "MP"}
	transfer.country != ""
}

_by_account_age := "new_account" if {
	_new_account
} else := "standard"

_by_transfer := "new_account" if {
	_new_account
} else := "foreign" if {
	_foreign
} else := "point_of_sale" if {
	_point_of_sale
} else := "standard"

_loss_days := object.get(_days, "notice_after_loss_business_days", -1)

_statement_days := object.get(_days, "notice_after_statement_days", -1)

_reported_late if _loss_days > values.thresholds.timely_loss_report_business_days

_reported_in_time if {
	_loss_days >= 0
	not _reported_late
}

_within_statement_period if {
	_statement_days >= 0
	_statement_days <= values.thresholds.notice_after_statement_days
}

_device_used if {
	some transfer in _disputed
	transfer.access_device in {"card", "code"}
}

# How much may be held back from a provisional credit: nothing unless every ground is known.
_withholding := "late_report" if {
	_case.case_type == "unauthorized_transfer"
	_device_used
	_reported_late
} else := "none"
