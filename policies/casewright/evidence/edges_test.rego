package casewright.evidence_test

import data.casewright.evidence

import future.keywords.not
import rego.v1

test_a_case_that_names_no_tenant_or_type_has_no_checklist[name] if {
	checklist := [_report_item("a", {"required": false})]
	some name, case in {"tenant": {"case_type": "complaint"}, "type": {"tenant": "acme"}}
	report := evidence.report with input as {"case": case}
		with data.data.checklists as {"acme": {"_": checklist}, "_": {"complaint": checklist}}
	[item.id | some item in report.items] == ["no_checklist"]
}

test_without_a_checklist_the_report_says_so_whole if {
	report := _report({}, [])
	report == {"complete": false, "items": [{
		"id": "no_checklist",
		"title": "No checklist applies",
		"why": "The tenant keeps no evidence checklist for this type of case, so its evidence cannot be judged.",
		"clause": {"document_id": "", "label": ""},
		"status": "missing",
		"evidence_ids": [],
		"needed": true,
	}]}
}

_edges_fact(name, case) := _conditions_status(case, {"satisfied_by": [{"fact": name}]})

_edges_changed(change) := {"transactions": [object.union(_conditions_transfer("t1"), change)]}

test_an_empty_field_is_no_fact[name] if {
	some name, row in {
		"account number": ["account_number", {"accounts": [{"number_last4": ""}]}],
		"date": ["disputed_transfer", _edges_changed({"posted_on": ""})],
		"account": ["disputed_transfer", _edges_changed({"account_id": ""})],
		"confirmation": ["oral_notice_confirmed", {"notices": [{"written_confirmation_on": ""}]}],
		"statement": ["statement_date", {"notices": [{"statement_sent_on": ""}]}],
		"country": ["transfer_country", _edges_changed({"country": ""})],
		"not known to be disputed": [
			"disputed_transfer",
			{"transactions": [object.remove(_conditions_transfer("t1"), ["disputed"])]},
		],
	}
	_edges_fact(row[0], row[1]) == "missing"
}

test_the_smallest_sum_is_a_sum if {
	_edges_fact("disputed_transfer", _edges_changed({"amount_minor": 1})) == "present"
}

test_one_transfer_needs_evidence_of_its_own[name] if {
	some name, row in {
		"its own": ["present", "t1"],
		"of another": ["missing", "t9"],
	}
	case := {
		"transactions": [_conditions_transfer("t1")],
		"evidence": [_conditions_exhibit("e1", {"transaction_id": row[1]})],
	}
	_conditions_status(case, _conditions_by_log) == row[0]
}

test_the_states_and_each_territory_are_not_abroad[country] if {
	some country in ["US", "PR", "GU", "VI", "AS", "MP"]
	_conditions_status(_edges_changed({"country": country}), {"applies_when": "foreign_transfer"}) == "not_applicable"
}

test_a_transfer_without_a_country_is_not_known_to_be_abroad if {
	case := {"transactions": [object.remove(_conditions_transfer("t1"), ["country"])]}
	_conditions_status(case, {"applies_when": "foreign_transfer"}) == "not_applicable"
}

test_these_have_weight_whatever_the_other_says[name] if {
	some name, extra in {
		"account statement": {"kind": "account_statement", "trust": "untrusted"},
		"credit report": {"kind": "credit_report", "trust": "untrusted"},
		"device log": {"kind": "device_log", "trust": "untrusted"},
		"identity document": {"kind": "identity_document", "trust": "untrusted"},
		"merchant receipt": {"kind": "merchant_receipt", "trust": "untrusted"},
		"transaction log": {"kind": "transaction_log", "trust": "untrusted"},
		"system record": {"kind": "other", "trust": "system"},
		"staff record": {"kind": "other", "trust": "staff"},
	}
	report := _contradiction_report([
		_contradiction_exhibit("e1", "customer", extra),
		_contradiction_exhibit("e2", "institution", {}),
	])
	report.items[0].status == "contradicted"
}

test_a_contradiction_elsewhere_is_no_evidence_of_an_item if {
	report := _contradiction_report([
		_contradiction_exhibit("e1", "customer", {}),
		_contradiction_exhibit("e2", "institution", {"kind": "account_statement"}),
	])
	report.items[1].evidence_ids == ["e1"]
	not "e2" in report.items[1].evidence_ids
}
