package casewright.outcome_test

import rego.v1

import data.casewright.outcome

_facts_notice := {"notices/n1/received_on", "notices/n1/statement_sent_on"}

_facts_posting := {"transactions/t1/posted_on"}

_facts_amount := {"transactions/t1/amount_minor"}

_facts_exhibit(id, side, trust) := {
	"evidence_id": id, "kind": "correspondence", "trust": trust, "sealed": false, "supports": side,
	"received_on": "2026-02-02",
}

_facts_evidence := [
	_facts_exhibit("e1", "customer", "system"),
	_facts_exhibit("e2", "customer", "untrusted"),
	_facts_exhibit("e3", "institution", "untrusted"),
	_facts_exhibit("e4", "neutral", "staff"),
]

_facts_of(change) := [proposal.basis[0].rule, {fact | some fact in proposal.basis[0].facts}] if {
	base := {
		"case": {
			"tenant": "harborline", "case_type": "transfer_error", "received_on": "2026-03-01", "currency": "USD",
			"notices": [{"notice_id": "n1", "received_on": "2026-03-01", "statement_sent_on": "2026-02-28"}],
			"transactions": [
				{"transaction_id": "t1", "disputed": true, "posted_on": "2026-02-20", "amount_minor": 100, "currency": "USD"},
				{"transaction_id": "t2", "disputed": false, "posted_on": "2026-02-21", "amount_minor": 7, "currency": "USD"},
			],
		},
		"days": {"notice_after_statement_days": 1},
		"evidence": {"complete": true, "items": [{"id": "a", "status": "present", "needed": true}]},
	}
	proposal := outcome.proposal with input as object.union(base, change)
}

_facts_late(case) := {"days": {"notice_after_statement_days": 99}, "case": case}

_facts_event(id) := {"timeline": [{"event_id": id, "on": "2026-03-01"}, {"event_id": "call", "on": "2026-03-01"}]}

_facts_supported := _facts_amount | {"evidence/e1/supports"}

test_every_rule_names_the_facts_it_rests_on[rule] if {
	unauthorized := {"case_type": "unauthorized_transfer"}
	dispute := {"case_type": "card_dispute"}
	application := object.union(_facts_exhibit("e9", "neutral", "system"), {"kind": "credit_application"})
	undated := object.remove(object.union(application, {"evidence_id": "e8"}), ["received_on"])
	some rule, row in {
		"bank_error": [{"case": {"evidence": _facts_evidence}}, _facts_supported],
		"case_closed": [{"case": {"state": "closed"}}, {"case/state"}],
		"complaint_not_upheld": [
			{"case": {"case_type": "complaint", "evidence": [_facts_exhibit("e5", "institution", "staff"), _facts_evidence[1]]}},
			{"evidence/e5/supports"},
		],
		"complaint_upheld": [{"case": {"case_type": "complaint", "evidence": _facts_evidence}}, _facts_supported],
		"credit_already_issued": [
			{"case": _facts_event("provisional_credit_issued")},
			{"timeline/provisional_credit_issued/on"},
		],
		"duplicate_claim": [{"case": {"duplicate_of": "X"}}, {"case/duplicate_of"}],
		"employee_involved": [
			{"case": {"parties": [{"party_id": "p1", "role": "employee"}, {"party_id": "p2", "role": "customer"}]}},
			{"parties/p1/role"},
		],
		"error_confirmed": [{"case": _facts_event("investigation_found_error")}, {"timeline/investigation_found_error/on"}],
		"evidence_contradicted": [
			{"evidence": {"complete": false, "items": [
				{"id": "a", "status": "contradicted", "evidence_ids": ["e1", "e2"]},
				{"id": "b", "status": "present", "evidence_ids": ["e3"]},
			]}},
			{"evidence/e1/supports", "evidence/e2/supports"},
		],
		"late_dispute": [_facts_late(dispute), _facts_notice],
		"late_notice": [_facts_late({}), _facts_notice],
		"late_notice_excused": [_facts_late(_facts_event("hospital_care")), (_facts_notice | {"timeline/hospital_care/on"})],
		"late_unauthorized_within": [_facts_late(unauthorized), (_facts_notice | _facts_posting)],
		"merchant_credit_documented": [{"case": object.union(dispute, {"evidence": _facts_evidence})}, _facts_supported],
		"mixed_currency": [{"case": {"currency": "EUR"}}, {"transactions/t1/currency"}],
		"no_error_found": [
			{"case": _facts_event("investigation_found_no_error")},
			{"timeline/investigation_found_no_error/on"},
		],
		"no_positive_sum": [{"case": {"claimed_amount_minor": 0}}, _facts_amount],
		"no_rule_applies": [{"case": {"case_type": "lottery"}}, {"case/case_type"}],
		"notice_due": [
			{"case": {"case_type": "adverse_action", "evidence": [application, undated, _facts_evidence[0]]}},
			{"evidence/e9/received_on"},
		],
		"open_dispute": [{"case": dispute}, (_facts_notice | _facts_posting)],
		"open_error": [{}, (_facts_notice | _facts_posting)],
		"open_unauthorized_transfer": [{"case": unauthorized}, (_facts_notice | _facts_posting)],
	}
	_facts_of(row[0]) == [rule, row[1]]
}

test_milestones_are_facts[rule] if {
	some rule, row in {
		"credit_to_be_made_final": [
			object.union(_ladder_error, _ladder_reached(["investigation_found_error", "provisional_credit_issued"])),
			["timeline/investigation_found_error/on", "timeline/provisional_credit_issued/on"],
		],
		"notice_already_sent": [
			object.union({"case_type": "adverse_action"}, _ladder_reached(["adverse_action_notice_sent"])),
			["timeline/adverse_action_notice_sent/on"],
		],
	}
	proposal := _edges_propose(row[0], _ladder_days, _ladder_complete)
	[proposal.basis[0].rule, proposal.basis[0].facts] == [rule, row[1]]
}
