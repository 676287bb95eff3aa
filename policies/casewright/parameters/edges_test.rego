package casewright.parameters_test

import data.casewright.parameters

import future.keywords.not
import rego.v1

test_a_case_that_names_no_tenant_has_no_values if {
	case := {"case_type": "complaint", "received_on": "2026-01-01"}
	parameters.values == {} with input as {"case": case} with data.data.parameters as {"_": _rules_sets.acme}
}

test_each_territory_is_at_home[country] if {
	some country in ["GU", "VI", "AS", "MP"]
	_choice_counts(_choice_rules(_choice_transfer({"country": country}), {})).investigation_extended == 45
}

_edges_timeline := [
	{"event_id": "provisional_credit_issued", "on": "2026-03-09"},
	{"event_id": "investigation_completed", "on": "2026-03-09"},
	{"event_id": "investigation_found_error", "on": "2026-03-09"},
]

_edges_application := {"kind": "credit_application", "received_on": "2026-02-20", "sealed": false}

test_a_type_of_case_has_no_deadlines_of_another if {
	complaint := {
		"case_type": "complaint",
		"notices": [_selection_oral],
		"timeline": _edges_timeline,
		"evidence": [_edges_application],
	}
	_selection_deadlines(complaint) == {"complaint_acknowledgement": "2026-03-01", "complaint_answer": "2026-03-01"}
}

test_only_unauthorized_transfers_have_a_share_whatever_the_delay[name] if {
	some name, days in {
		"in time": {"notice_after_loss_business_days": 1},
		"late": {"notice_after_loss_business_days": 3},
		"no device lost": {"notice_after_statement_days": 5},
	}
	rules := _choice_rules({"case_type": "transfer_error"}, days)
	not _choice_amounts(rules).customer_liability
}

test_a_lost_device_counts_before_the_statement[name] if {
	some name, row in {"same day": [0, 5000], "next day": [1, 5000], "late": [3, 50000]}
	days := {"notice_after_loss_business_days": row[0], "notice_after_statement_days": 5}
	_choice_amounts(_choice_rules(_choice_transfer({}), days)).customer_liability == row[1]
}

test_only_errors_have_a_credit_to_withhold_from if {
	_choice_amounts(_choice_rules({"case_type": "complaint"}, {})) == {"single_approval": 500000}
}
