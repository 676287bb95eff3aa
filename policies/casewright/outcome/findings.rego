# What the facts of a case show, in the terms that the outcome rules use.
package casewright.outcome

import future.keywords.not
import rego.v1

_case := object.get(input, "case", {})

_tenant := object.get(_case, "tenant", "")

_timeline := object.get(_case, "timeline", [])

_visible := [item |
	some item in object.get(_case, "evidence", [])
	object.get(item, "sealed", true) == false
]

_disputed := [transfer |
	some transfer in object.get(_case, "transactions", [])
	object.get(transfer, "disputed", false) == true
]

_disputable if _case.case_type in {"unauthorized_transfer", "transfer_error", "card_dispute"}

# Without a checklist the report holds one item of that name, and no rule can judge the case;
# nor can one without the counted days and the thresholds they are compared with.
_judged if {
	is_number(input.days.notice_after_statement_days)
	is_number(data.casewright.parameters.values.thresholds.notice_after_statement_days)
	count(input.evidence.items) > 0
	every item in input.evidence.items {
		item.id != "no_checklist"
	}
}

_missing(item) if {
	item.status == "missing"
	item.needed == true
}

_contradicted if {
	some item in input.evidence.items
	item.status == "contradicted"
}

_employees := {party.party_id |
	some party in object.get(_case, "parties", [])
	party.role == "employee"
}

_late if input.days.notice_after_statement_days > data.casewright.parameters.values.thresholds.notice_after_statement_days

_excused if {
	some event in _timeline
	event.event_id in _tenant_rules.excuses
}

_reached(milestone) if {
	some event in _timeline
	event.event_id == milestone
}

_still_open if {
	every milestone in ["investigation_completed", "investigation_found_error", "investigation_found_no_error"] {
		not _reached(milestone)
	}
}

_all_after_window if {
	count(_disputed) > 0
	limit := data.casewright.parameters.values.thresholds.notice_after_statement_days
	statement := min({notice.statement_sent_on | some notice in _case.notices})
	every transfer in _disputed {
		_day_number(transfer.posted_on) - _day_number(statement) > limit
	}
}

_mixed_currency if {
	some transfer in _disputed
	transfer.currency != _case.currency
}

_ours(item) if item.trust in {"system", "staff"}

_supports(item, side, transfer) if {
	_ours(item)
	item.supports == side
	object.get(item, "transaction_id", transfer.transaction_id) == transfer.transaction_id
}

_any_for(side) if {
	some item in _visible
	item.supports == side
	_ours(item)
}

_shown_for_customer if {
	count(_disputed) > 0
	every transfer in _disputed {
		some item in _visible
		_supports(item, "customer", transfer)
	}
	not _any_for("institution")
}

_shown_for_institution if {
	_any_for("institution")
	not _any_for("customer")
}
