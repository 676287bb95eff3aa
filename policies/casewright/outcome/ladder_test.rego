package casewright.outcome_test

import rego.v1

import data.casewright.outcome

_ladder_base := {
	"tenant": "harborline", "received_on": "2026-03-01", "state": "open", "currency": "USD",
	"transactions": [{
		"transaction_id": "t1", "disputed": true, "posted_on": "2026-02-20", "amount_minor": 10000,
		"currency": "USD",
	}],
}

_ladder_complete := {"complete": true, "items": [{"id": "a", "status": "present", "needed": true}]}

_ladder_missing := {"complete": false, "items": [{"id": "a", "title": "T", "why": "W.", "status": "missing", "needed": true}]}

_ladder_contradicted := {"complete": false, "items": [{"id": "a", "status": "contradicted", "needed": true, "evidence_ids": ["e1"]}]}

_ladder_days := {"notice_after_statement_days": 5, "notice_after_loss_business_days": -1, "account_age_at_transaction_days": -1}

_ladder_late := object.union(_ladder_days, {"notice_after_statement_days": 61})

_ladder_given(case, days, evidence) := [proposal.basis[0].rule, proposal.action] if {
	proposal := outcome.proposal with input as {"case": object.union(_ladder_base, case), "days": days, "evidence": evidence}
}

_ladder_unauthorized := {"case_type": "unauthorized_transfer"}

_ladder_error := {"case_type": "transfer_error"}

_ladder_dispute := {"case_type": "card_dispute"}

_ladder_employee := {"parties": [{"party_id": "p1", "role": "employee"}]}

_ladder_reached(milestones) := {"timeline": [{"event_id": id, "on": "2026-03-02"} | some id in milestones]}

test_the_first_rule_that_holds_decides[name] if {
	closed := {"state": "closed"}
	duplicate := {"duplicate_of": "X-1"}
	euro := {"currency": "EUR"}
	hospital := _ladder_reached(["hospital_care"])
	some name, row in {
		"closed before duplicate": [object.union(closed, duplicate), _ladder_days, _ladder_complete, "case_closed", "no_action"],
		"duplicate before evidence": [object.union(_ladder_error, duplicate), _ladder_days, _ladder_contradicted, "duplicate_claim", "close_duplicate"],
		"contradiction before employee": [object.union(_ladder_error, _ladder_employee), _ladder_late, _ladder_contradicted, "evidence_contradicted", "escalate"],
		"employee before lateness": [object.union(_ladder_error, _ladder_employee), _ladder_late, _ladder_complete, "employee_involved", "escalate"],
		"excuse before denial": [object.union(_ladder_error, hospital), _ladder_late, _ladder_missing, "late_notice_excused", "escalate"],
		"an excuse without lateness is no matter": [object.union(_ladder_error, hospital), _ladder_days, _ladder_complete, "open_error", "issue_provisional_credit"],
		"a finding is of error cases": [object.union({"case_type": "complaint"}, _ladder_reached(["investigation_found_no_error"])), _ladder_days, _ladder_complete, "no_rule_applies", "escalate"],
		"a notice is of credit decisions": [object.union(_ladder_error, _ladder_reached(["adverse_action_notice_sent"])), _ladder_days, _ladder_complete, "open_error", "issue_provisional_credit"],
		"late error": [_ladder_error, _ladder_late, _ladder_missing, "late_notice", "deny_claim"],
		"late dispute": [_ladder_dispute, _ladder_late, _ladder_complete, "late_dispute", "deny_claim"],
		"on the last day": [_ladder_error, object.union(_ladder_days, {"notice_after_statement_days": 60}), _ladder_complete, "open_error", "issue_provisional_credit"],
		"lateness is no matter for a complaint": [{"case_type": "complaint"}, _ladder_late, _ladder_complete, "no_rule_applies", "escalate"],
		"an excuse excuses no complaint": [object.union({"case_type": "complaint"}, hospital), _ladder_late, _ladder_complete, "no_rule_applies", "escalate"],
		"late without transfers": [object.union(_ladder_unauthorized, {"transactions": [], "notices": [{"statement_sent_on": "2026-01-01"}]}), _ladder_late, _ladder_missing, "evidence_missing", "request_information"],
		"missing": [_ladder_unauthorized, _ladder_days, _ladder_missing, "evidence_missing", "request_information"],
		"incomplete for no stated reason": [_ladder_unauthorized, _ladder_days, object.union(_ladder_complete, {"complete": false}), "no_rule_applies", "escalate"],
		"completeness not stated": [_ladder_unauthorized, _ladder_days, object.remove(_ladder_complete, ["complete"]), "no_rule_applies", "escalate"],
		"other currency": [object.union(_ladder_error, euro), _ladder_days, _ladder_complete, "mixed_currency", "escalate"],
		"nothing to pay": [object.union(_ladder_error, {"claimed_amount_minor": 0}), _ladder_days, _ladder_complete, "no_positive_sum", "escalate"],
		"unknown type": [{"case_type": "lottery"}, _ladder_days, _ladder_complete, "no_rule_applies", "escalate"],
	}
	_ladder_given(row[0], row[1], row[2]) == [row[3], row[4]]
}

test_error_cases_follow_the_state_of_the_investigation[name] if {
	share_unknown := {"notice_after_statement_days": -1, "notice_after_loss_business_days": -1}
	some name, row in {
		"open": [_ladder_unauthorized, _ladder_days, [], "open_unauthorized_transfer", "issue_provisional_credit"],
		"open error": [_ladder_error, _ladder_days, [], "open_error", "issue_provisional_credit"],
		"open dispute": [_ladder_dispute, _ladder_days, [], "open_dispute", "issue_provisional_credit"],
		"credited": [_ladder_unauthorized, _ladder_days, ["provisional_credit_issued"], "credit_already_issued", "no_action"],
		"confirmed": [_ladder_unauthorized, _ladder_days, ["investigation_found_error"], "error_confirmed", "issue_final_credit"],
		"confirmed error": [_ladder_error, share_unknown, ["investigation_found_error"], "error_confirmed", "issue_final_credit"],
		"confirmed, share unknown": [_ladder_unauthorized, share_unknown, ["investigation_found_error"], "no_rule_applies", "escalate"],
		"confirmed and credited": [
			_ladder_unauthorized, _ladder_days, ["investigation_found_error", "provisional_credit_issued"],
			"credit_to_be_made_final", "escalate",
		],
		"refuted": [_ladder_unauthorized, _ladder_days, ["investigation_found_no_error"], "no_error_found", "deny_claim"],
		"refuted before confirmed": [
			_ladder_error, _ladder_days, ["investigation_found_error", "investigation_found_no_error"],
			"no_error_found", "deny_claim",
		],
		"completed without a finding": [_ladder_error, _ladder_days, ["investigation_completed"], "no_rule_applies", "escalate"],
	}
	_ladder_given(object.union(row[0], _ladder_reached(row[2])), row[1], _ladder_complete) == [row[3], row[4]]
}
