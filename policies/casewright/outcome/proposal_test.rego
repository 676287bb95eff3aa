package casewright.outcome_test

import rego.v1

import data.casewright.outcome

_proposal_case := {
	"tenant": "harborline", "case_type": "transfer_error", "received_on": "2026-03-01", "currency": "USD",
	"notices": [{"notice_id": "n1", "received_on": "2026-03-01", "statement_sent_on": "2026-02-28"}],
	"transactions": [{
		"transaction_id": "t1", "disputed": true, "posted_on": "2026-02-20", "amount_minor": 10000,
		"currency": "USD",
	}],
}

_proposal_complete := {"complete": true, "items": [{"id": "a", "status": "present", "needed": true}]}

_proposal_days := {"notice_after_statement_days": 1}

_proposal_input := {"case": _proposal_case, "days": _proposal_days, "evidence": _proposal_complete}

_proposal_propose(document) := proposal if {
	proposal := outcome.proposal with input as document
}

test_a_proposal_is_given_whole if {
	_proposal_propose(_proposal_input) == {
		"action": "issue_provisional_credit",
		"amount_minor": 10000,
		"risk": "low",
		"basis": [
			{
				"rule": "open_error",
				"clause": {"document_id": "hl-provisional-credit", "label": "2.1"},
				"because": "The evidence is complete and the investigation has not ended.",
				"facts": ["notices/n1/received_on", "notices/n1/statement_sent_on", "transactions/t1/posted_on"],
			},
			{
				"rule": "amount_in_dispute",
				"clause": {"document_id": "hl-provisional-credit", "label": "3.1"},
				"because": "The credit is the sum of the disputed transfers as posted.",
				"facts": ["transactions/t1/amount_minor"],
			},
		],
		"questions": [],
	}
}

test_a_tenant_without_rules_escalates_at_high_risk[name] if {
	some name, document in {
		"nothing": {},
		"no tenant": object.union(_proposal_input, {"case": {"tenant": ""}}),
		"other tenant": object.union(_proposal_input, {"case": {"tenant": "other"}}),
	}
	proposal := _proposal_propose(document)
	[proposal.action, proposal.amount_minor, proposal.risk] == ["escalate", 0, "high"]
	proposal.basis[0].rule == "no_rule_applies"
	proposal.basis[0].clause == {"document_id": "", "label": ""}
}

test_no_money_moves_on_an_unjudged_case[name] if {
	some name, document in {
		"no evidence report": object.remove(_proposal_input, ["evidence"]),
		"empty report": object.union(_proposal_input, {"evidence": {"items": []}}),
		"no checklist": object.union(_proposal_input, {"evidence": {"items": [{"id": "no_checklist"}]}}),
		"no counted days": object.remove(_proposal_input, ["days"]),
		"days are no number": object.union(_proposal_input, {"days": {"notice_after_statement_days": "1"}}),
		"before the first values": object.union(_proposal_input, {"case": {"received_on": "2010-01-01"}}),
	}
	proposal := _proposal_propose(document)
	[proposal.action, proposal.amount_minor, proposal.basis[0].rule] == ["escalate", 0, "no_rule_applies"]
	proposal.basis[0].clause.document_id == "hl-escalation"
}

test_each_missing_item_is_one_question if {
	items := [
		{"id": "account_of_events", "title": "Own account", "why": "Why one.", "status": "missing", "needed": true},
		{"id": "police_report", "title": "Police report", "why": "Why two.", "status": "missing", "needed": false},
		{"id": "transaction_record", "title": "Record", "why": "Why three.", "status": "missing", "needed": true},
		{"id": "notice_of_error", "title": "Notice", "why": "Why four.", "status": "present", "needed": true},
	]
	proposal := _proposal_propose(object.union(_proposal_input, {"evidence": {"complete": false, "items": items}}))
	proposal.action == "request_information"
	proposal.questions == [
		"Ask the customer for: Own account. Why one.",
		"Take from our own records: Record. Why three.",
	]
	proposal.basis[0].facts == ["case/case_type"]
}

test_only_missing_evidence_raises_questions if {
	items := [
		{"id": "a", "title": "T", "why": "W.", "status": "missing", "needed": true},
		{"id": "b", "title": "T", "why": "W.", "status": "contradicted", "needed": true, "evidence_ids": []},
	]
	proposal := _proposal_propose(object.union(_proposal_input, {"evidence": {"complete": false, "items": items}}))
	proposal.action == "escalate"
	proposal.questions == []
}

test_each_rule_has_its_clause_and_reason[tenant] if {
	some tenant, table in data.data.outcomes
	every rule in table.rules {
		rule.clause.document_id != ""
		rule.because != ""
	}
	table.rules.no_rule_applies
}
