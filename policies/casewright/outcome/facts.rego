# The facts that each rule rests on, as slash paths: `case/field` or collection, id and field.
package casewright.outcome

import rego.v1

_facts_of := {
	"bank_error": (_amount_facts | _support_facts("customer")),
	"case_closed": {"case/state"},
	"complaint_not_upheld": _support_facts("institution"),
	"complaint_upheld": (_amount_facts | _support_facts("customer")),
	"credit_already_issued": _event_facts({"provisional_credit_issued"}),
	"credit_to_be_made_final": _event_facts({"provisional_credit_issued", "investigation_found_error"}),
	"duplicate_claim": {"case/duplicate_of"},
	"employee_involved": {_path("parties", id, "role") | some id in _employees},
	"error_confirmed": _event_facts({"investigation_found_error"}),
	"evidence_contradicted": _contradiction_facts,
	"evidence_missing": {"case/case_type"},
	"late_dispute": _notice_facts,
	"late_notice": _notice_facts,
	"late_notice_excused": (_notice_facts | _event_facts(object.get(_tenant_rules, "excuses", []))),
	"late_unauthorized": (_notice_facts | _posting_facts),
	"late_unauthorized_within": (_notice_facts | _posting_facts),
	"merchant_credit_documented": (_amount_facts | _support_facts("customer")),
	"mixed_currency": {_path("transactions", transfer.transaction_id, "currency") | some transfer in _disputed},
	"no_error_found": _event_facts({"investigation_found_no_error"}),
	"no_positive_sum": _amount_facts,
	"no_rule_applies": {"case/case_type"},
	"notice_already_sent": _event_facts({"adverse_action_notice_sent"}),
	"notice_due": _application_facts,
	"open_dispute": (_notice_facts | _posting_facts),
	"open_error": (_notice_facts | _posting_facts),
	"open_unauthorized_transfer": (_notice_facts | _posting_facts),
}

_path(collection, id, field) := concat("/", [collection, id, field])

_amount_facts := {_path("transactions", transfer.transaction_id, "amount_minor") | some transfer in _disputed}

_posting_facts := {_path("transactions", transfer.transaction_id, "posted_on") | some transfer in _disputed; transfer.posted_on}

_notice_facts := {_path("notices", notice.notice_id, field) |
	some notice in object.get(_case, "notices", [])
	some field in ["received_on", "statement_sent_on", "loss_discovered_on"]
	notice[field]
}

_support_facts(side) := {_path("evidence", item.evidence_id, "supports") |
	some item in _visible
	item.supports == side
	_ours(item)
}

_event_facts(ids) := {_path("timeline", event.event_id, "on") |
	some event in _timeline
	event.event_id in ids
}

_contradiction_facts := {_path("evidence", id, "supports") |
	some item in object.get(input, ["evidence", "items"], [])
	item.status == "contradicted"
	some id in item.evidence_ids
}

_application_facts := {_path("evidence", item.evidence_id, "received_on") |
	some item in _visible
	item.kind == "credit_application"
	item.received_on
}
