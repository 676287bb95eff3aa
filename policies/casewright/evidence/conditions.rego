# The vocabulary of `satisfied_by` and `applies_when`: what a checklist may ask of a case.
# An unknown fact never holds and an unknown condition never excludes an item.
package casewright.evidence

import rego.v1

_case := object.get(input, "case", {})

_tenant := object.get(_case, "tenant", "")

_case_type := object.get(_case, "case_type", "")

_evidence := [item |
	some item in object.get(_case, "evidence", [])
	object.get(item, "sealed", true) == false
]

_notices := object.get(_case, "notices", [])

_disputed := [transfer |
	some transfer in object.get(_case, "transactions", [])
	object.get(transfer, "disputed", false) == true
]

# An evidence condition holds when each disputed transfer has a matching item of its own or one
# that speaks of the whole case; with no disputed transfer, any matching item will do.
_holds(condition) if {
	count(_disputed) > 0
	every transfer in _disputed {
		some item in _evidence
		_matches(item, condition)
		object.get(item, "transaction_id", transfer.transaction_id) == transfer.transaction_id
	}
}

_holds(condition) if {
	count(_disputed) == 0
	some item in _evidence
	_matches(item, condition)
}

_holds(condition) if _fact(condition.fact)

_matches(item, condition) if {
	item.kind in condition.evidence
	item.trust in condition.trust
}

_fact("account_number") if {
	some account in _case.accounts
	account.number_last4 != ""
}

_fact("consistent_evidence") if count(_contradictions) == 0

_fact("customer_party") if {
	some party in _case.parties
	party.role in {"customer", "joint_holder"}
}

_fact("disputed_transfer") if {
	count(_disputed) > 0
	every transfer in _disputed {
		transfer.posted_on != ""
		transfer.account_id != ""
		transfer.amount_minor > 0
	}
}

_fact("notice") if count(_notices) > 0

_fact("oral_notice_confirmed") if {
	some notice in _notices
	notice.written_confirmation_on != ""
}

_fact("own_words") if trim_space(_case.narrative) != ""

_fact("statement_date") if {
	some notice in _notices
	notice.statement_sent_on != ""
}

_fact("transfer_country") if {
	count(_disputed) > 0
	every transfer in _disputed {
		transfer.country != ""
	}
}

_excluded("access_device_used") if {
	every transfer in _disputed {
		object.get(transfer, "access_device", "none") == "none"
	}
}

_excluded("foreign_transfer") if {
	every transfer in _disputed {
		object.get(transfer, "country", "US") in {"US", "PR", "GU", "VI", "AS", "MP"}
	}
}

_excluded("oral_notice_only") if {
	some notice in _notices
	notice.kind != "oral"
}
