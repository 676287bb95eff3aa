package casewright.parameters_test

import data.casewright.parameters

import future.keywords.not
import rego.v1

_selection_deadlines(case) := {deadline.id: deadline.from | some deadline in rules.deadlines} if {
	base := {"tenant": "harborline", "received_on": "2026-03-01"}
	rules := parameters.rules with input as {"case": object.union(base, case), "days": {}}
}

_selection_written := {"received_on": "2026-03-05", "kind": "written"}

_selection_oral := {"received_on": "2026-03-03", "kind": "oral"}

_selection_confirmed := object.union(_selection_oral, {"written_confirmation_on": "2026-03-06"})

_selection_error_deadlines(from) := {"investigation": from, "investigation_extended": from, "provisional_credit": from}

test_each_type_of_case_has_its_deadlines[name] if {
	card := {"accounts": [{"kind": "credit_card"}]}
	some name, row in {
		"unauthorized transfer": [{"case_type": "unauthorized_transfer", "notices": [_selection_written]}, _selection_error_deadlines("2026-03-05")],
		"transfer error": [{"case_type": "transfer_error", "notices": [_selection_written]}, _selection_error_deadlines("2026-03-05")],
		"debit card dispute": [
			{"case_type": "card_dispute", "notices": [_selection_written], "accounts": [{"kind": "checking"}]},
			_selection_error_deadlines("2026-03-05"),
		],
		"credit card dispute": [
			object.union(card, {"case_type": "card_dispute", "notices": [_selection_written]}),
			{"billing_acknowledgement": "2026-03-05", "billing_resolution": "2026-03-05"},
		],
		"error on a customer with a credit card": [
			object.union(card, {"case_type": "transfer_error", "notices": [_selection_written]}),
			_selection_error_deadlines("2026-03-05"),
		],
		"complaint": [
			{"case_type": "complaint", "notices": [_selection_written]},
			{"complaint_acknowledgement": "2026-03-01", "complaint_answer": "2026-03-01"},
		],
		"earliest notice": [{"case_type": "transfer_error", "notices": [_selection_written, _selection_confirmed]}, _selection_error_deadlines("2026-03-03")],
		"no notice": [{"case_type": "unauthorized_transfer", "notices": []}, {}],
		"notices absent": [{"case_type": "unauthorized_transfer"}, {}],
		"credit card without notice": [object.union(card, {"case_type": "card_dispute"}), {}],
	}
	_selection_deadlines(row[0]) == row[1]
}

test_written_confirmation_is_due_only_while_it_is_missing[name] if {
	some name, row in {
		"oral": [[_selection_oral], {"written_confirmation"}],
		"oral twice": [[_selection_oral, _selection_oral], {"written_confirmation"}],
		"confirmed": [[_selection_confirmed], set()],
		"one confirmed": [[_selection_oral, _selection_confirmed], set()],
		"written": [[_selection_written], set()],
		"none": [[], set()],
	}
	found := _selection_deadlines({"case_type": "unauthorized_transfer", "notices": row[0]})
	object.keys(found) & {"written_confirmation"} == row[1]
}

test_only_error_cases_ask_for_confirmation if {
	not "written_confirmation" in object.keys(_selection_deadlines({"case_type": "complaint", "notices": [_selection_oral]}))
}

test_the_application_starts_the_period_for_the_notice[name] if {
	application := {"kind": "credit_application", "received_on": "2026-02-20", "sealed": false}
	some name, row in {
		"received": [[application], {"adverse_action_notice": "2026-02-20"}],
		"earliest": [[object.union(application, {"received_on": "2026-02-25"}), application], {"adverse_action_notice": "2026-02-20"}],
		"sealed": [[object.union(application, {"sealed": true})], {}],
		"other kind": [[object.union(application, {"kind": "other"})], {}],
		"no date": [[object.remove(application, ["received_on"])], {}],
	}
	_selection_deadlines({"case_type": "adverse_action", "evidence": row[0]}) == row[1]
}

test_a_milestone_starts_the_next_period[name] if {
	some name, row in {
		"provisional_credit_issued": "provisional_credit_notice",
		"investigation_completed": "report_of_results",
		"investigation_found_error": "correction",
	}
	timeline := [
		{"event_id": name, "on": "2026-03-10"},
		{"event_id": name, "on": "2026-03-09"},
		{"event_id": "call", "on": "2026-03-01"},
	]
	_selection_deadlines({"case_type": "transfer_error", "timeline": timeline}) == {row: "2026-03-09"}
}
