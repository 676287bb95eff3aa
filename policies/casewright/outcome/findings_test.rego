package casewright.outcome_test

import rego.v1

import data.casewright.outcome

_findings_transfer(id) := {"transaction_id": id, "disputed": true, "posted_on": "2026-02-20", "amount_minor": 10000, "currency": "USD"}

_findings_exhibit(id, side, extra) := object.union(
	{"evidence_id": id, "kind": "transaction_log", "trust": "system", "sealed": false, "supports": side},
	extra,
)

_findings_complete := {"complete": true, "items": [{"id": "a", "status": "present", "needed": true}]}

_findings_days := {"notice_after_statement_days": 5, "notice_after_loss_business_days": -1}

_findings_rule(case) := proposal.basis[0].rule if {
	base := {"tenant": "harborline", "received_on": "2026-03-01", "currency": "USD", "transactions": [_findings_transfer("t1")]}
	proposal := outcome.proposal with input as {"case": object.union(base, case), "days": _findings_days, "evidence": _findings_complete}
}

_findings_evidence_sets := {
	"ours for the customer": [_findings_exhibit("e1", "customer", {})],
	"staff for the customer": [_findings_exhibit("e1", "customer", {"trust": "staff", "transaction_id": "t1"})],
	"outside for the customer": [_findings_exhibit("e1", "customer", {"trust": "untrusted"})],
	"sealed for the customer": [_findings_exhibit("e1", "customer", {"sealed": true})],
	"seal unknown": [object.remove(_findings_exhibit("e1", "customer", {}), ["sealed"])],
	"other transfer": [_findings_exhibit("e1", "customer", {"transaction_id": "t9"})],
	"both sides": [_findings_exhibit("e1", "customer", {}), _findings_exhibit("e2", "institution", {"transaction_id": "t9"})],
	"outside against": [_findings_exhibit("e1", "customer", {}), _findings_exhibit("e2", "institution", {"trust": "untrusted"})],
	"ours against": [_findings_exhibit("e1", "institution", {})],
	"nothing": [],
}

_findings_shown := {"ours for the customer", "staff for the customer", "outside against"}

test_a_clear_error_needs_our_own_records[type] if {
	some type, rules in {
		"transfer_error": ["bank_error", "open_error"],
		"card_dispute": ["merchant_credit_documented", "open_dispute"],
	}
	found := {name: rule |
		some name, exhibits in _findings_evidence_sets
		rule := _findings_rule({"case_type": type, "evidence": exhibits})
	}
	clear := {name | some name, rule in found; rule == rules[0]}
	open := {name | some name, rule in found; rule == rules[1]}
	clear == _findings_shown
	open == object.keys(_findings_evidence_sets) - _findings_shown
}

test_a_complaint_is_upheld_or_not_by_our_own_records if {
	found := {name: rule |
		some name, exhibits in _findings_evidence_sets
		rule := _findings_rule({"case_type": "complaint", "evidence": exhibits})
	}
	{name | some name, rule in found; rule == "complaint_upheld"} == _findings_shown
	{name | some name, rule in found; rule == "complaint_not_upheld"} == {"ours against"}
	{name | some name, rule in found; rule == "no_rule_applies"} == (object.keys(_findings_evidence_sets) - _findings_shown) - {"ours against"}
}

test_every_disputed_transfer_must_be_shown[name] if {
	some name, row in {
		"one of two": [[_findings_exhibit("e1", "customer", {"transaction_id": "t1"})], "open_error"],
		"both": [[_findings_exhibit("e1", "customer", {"transaction_id": "t1"}), _findings_exhibit("e2", "customer", {"transaction_id": "t2"})], "bank_error"],
	}
	_findings_rule({"case_type": "transfer_error", "transactions": [_findings_transfer("t1"), _findings_transfer("t2")], "evidence": row[0]}) == row[1]
}

test_without_a_disputed_transfer_nothing_is_shown if {
	_findings_rule({"case_type": "complaint", "transactions": [], "evidence": [_findings_exhibit("e1", "customer", {})]}) == "no_rule_applies"
}

test_an_unauthorized_transfer_is_not_a_clear_error if {
	_findings_rule({"case_type": "unauthorized_transfer", "evidence": [_findings_exhibit("e1", "customer", {})]}) == "open_unauthorized_transfer"
}

test_a_sent_notice_is_not_sent_again if {
	_findings_rule({"case_type": "adverse_action"}) == "notice_due"
	sent := [{"event_id": "adverse_action_notice_sent", "on": "2026-03-02"}]
	_findings_rule({"case_type": "adverse_action", "timeline": sent}) == "notice_already_sent"
}

test_lateness_is_weighed_transfer_by_transfer[name] if {
	some name, row in {
		"all after": [["2026-05-01", "2026-06-01"], "late_unauthorized"],
		"one before": [["2026-02-01", "2026-06-01"], "late_unauthorized_within"],
	}
	proposal := outcome.proposal with input as {
		"case": {
			"tenant": "harborline", "case_type": "unauthorized_transfer", "received_on": "2026-08-01",
			"notices": [{"notice_id": "n1", "statement_sent_on": "2026-01-31"}],
			"transactions": [{"transaction_id": day, "disputed": true, "posted_on": day} | some day in row[0]],
		},
		"days": {"notice_after_statement_days": 180},
		"evidence": _findings_complete,
	}
	proposal.basis[0].rule == row[1]
}
