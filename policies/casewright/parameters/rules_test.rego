package casewright.parameters_test

import rego.v1

import data.casewright.parameters

_rules_clause := {"document_id": "d", "label": "1.1"}

_rules_set(from, count) := {
	"effective_from": from,
	"thresholds": {"notice_after_statement_days": 60, "timely_loss_report_business_days": 2, "new_account_days": 30},
	"deadlines": {"complaint_answer": {"standard": {
		"title": "t", "count": count, "unit": "calendar_days", "clause": _rules_clause, "because": "b",
	}}},
	"limits": {"single_approval": {"standard": {"title": "t", "amount_minor": count, "clause": _rules_clause, "because": "b"}}},
}

_rules_sets := {"acme": [_rules_set("2025-01-01", 30), _rules_set("2020-01-01", 45), _rules_set("2026-07-01", 20)]}

_rules(case) := rules if {
	rules := parameters.rules with input as {"case": case, "days": {}}
		with data.data.parameters as _rules_sets
}

_rules_complaint(tenant, received_on) := {"tenant": tenant, "case_type": "complaint", "received_on": received_on}

test_a_deadline_and_a_limit_are_given_whole if {
	_rules(_rules_complaint("acme", "2026-06-30")) == {
		"deadlines": [{
			"id": "complaint_answer", "title": "t", "from": "2026-06-30", "count": 30, "unit": "calendar_days",
			"clause": _rules_clause, "because": "b",
		}],
		"limits": [{"id": "single_approval", "title": "t", "amount_minor": 30, "clause": _rules_clause, "because": "b"}],
	}
}

test_the_set_in_force_on_receipt_governs[received_on] if {
	some received_on, count in {
		"2020-01-01": 45,
		"2024-12-31": 45,
		"2025-01-01": 30,
		"2026-06-30": 30,
		"2026-07-01": 20,
	}
	_rules(_rules_complaint("acme", received_on)).deadlines[0].count == count
}

test_nothing_applies_without_values[name] if {
	some name, case in {
		"before the first set": _rules_complaint("acme", "2019-12-31"),
		"other tenant": _rules_complaint("other", "2026-01-01"),
		"no tenant": {"case_type": "complaint", "received_on": "2026-01-01"},
		"no date": {"tenant": "acme", "case_type": "complaint"},
	}
	_rules(case) == {"deadlines": [], "limits": []}
}

test_no_case_has_no_values if {
	parameters.values == {} with input as {} with data.data.parameters as _rules_sets
	parameters.rules == {"deadlines": [], "limits": []} with input as {} with data.data.parameters as _rules_sets
}

test_values_are_the_whole_set if {
	values := parameters.values with input as {"case": _rules_complaint("acme", "2025-05-05")}
		with data.data.parameters as _rules_sets
	values == _rules_set("2025-01-01", 30)
}
