package casewright.outcome_test

import rego.v1

import data.casewright.outcome

test_without_rules_the_proposal_is_the_whole_default if {
	whole := {
		"action": "escalate",
		"amount_minor": 0,
		"risk": "high",
		"basis": [{
			"rule": "no_rule_applies",
			"clause": {"document_id": "", "label": ""},
			"because": "No outcome rule of this tenant covers the case; a supervisor must decide how it goes on.",
			"facts": [],
		}],
		"questions": [],
	}
	_proposal_propose({}) == whole
}

test_a_case_that_names_no_tenant_has_no_rules if {
	nobody := object.union(object.remove(_proposal_input, ["case"]), {"case": object.remove(_proposal_case, ["tenant"])})
	proposal := outcome.proposal with input as nobody with data.data.outcomes as {"_": data.data.outcomes.harborline}
	proposal.basis[0].clause.document_id == ""
}

_edges_propose(case, days, evidence) := proposal if {
	proposal := outcome.proposal with input as {
		"case": object.union(_ladder_base, case),
		"days": days,
		"evidence": evidence,
	}
}

test_what_no_rule_covers_names_the_clause_that_says_so if {
	incomplete := object.union(_ladder_complete, {"complete": false})
	proposal := _edges_propose(_ladder_unauthorized, _ladder_days, incomplete)
	proposal.basis[0].clause.document_id == "hl-escalation"
}

_edges_ours(side) := {"evidence": [_findings_exhibit("e1", side, {})]}

_edges_after := {
	"notices": [{"notice_id": "n1", "received_on": "2026-08-01", "statement_sent_on": "2025-11-01"}],
	"transactions": [object.union(_ladder_base.transactions[0], {"posted_on": "2026-02-20"})],
}

test_each_rule_has_its_action_and_amount[name] if {
	complaint := {"case_type": "complaint"}
	adverse := {"case_type": "adverse_action", "transactions": []}
	finding := _ladder_reached(["investigation_found_error"])
	some name, row in {
		"bank error": [object.union(_ladder_error, _edges_ours("customer")), _ladder_days, "bank_error", "issue_final_credit", 10000],
		"merchant credit": [object.union(_ladder_dispute, _edges_ours("customer")), _ladder_days, "merchant_credit_documented", "issue_final_credit", 10000],
		"upheld": [object.union(complaint, _edges_ours("customer")), _ladder_days, "complaint_upheld", "issue_final_credit", 10000],
		"not upheld": [object.union(complaint, _edges_ours("institution")), _ladder_days, "complaint_not_upheld", "no_action", 0],
		"confirmed dispute": [object.union(_ladder_dispute, finding), _ladder_days, "error_confirmed", "issue_final_credit", 10000],
		"notice due": [adverse, _ladder_days, "notice_due", "send_adverse_action_notice", 0],
		"notice sent": [object.union(adverse, _ladder_reached(["adverse_action_notice_sent"])), _ladder_days, "notice_already_sent", "no_action", 0],
		"all after the window": [object.union(_ladder_unauthorized, _edges_after), _ladder_late, "late_unauthorized", "deny_claim", 0],
		"after the window, in time": [object.union(_ladder_unauthorized, _edges_after), _ladder_days, "open_unauthorized_transfer", "issue_provisional_credit", 10000],
		"complaint after the window": [object.union(complaint, _edges_after), _ladder_late, "no_rule_applies", "escalate", 0],
		"complaint with an error found": [
			object.union(complaint, _ladder_reached(["investigation_found_error", "provisional_credit_issued"])),
			_ladder_days, "no_rule_applies", "escalate", 0,
		],
		"complaint with a credit": [object.union(complaint, _ladder_reached(["provisional_credit_issued"])), _ladder_days, "no_rule_applies", "escalate", 0],
		"neutral records show nothing": [object.union(_ladder_error, _edges_ours("neutral")), _ladder_days, "open_error", "issue_provisional_credit", 10000],
		"another event excuses nothing": [object.union(_ladder_error, _ladder_reached(["call"])), _ladder_late, "late_notice", "deny_claim", 0],
		"no other claim is named": [object.union(_ladder_error, {"duplicate_of": ""}), _ladder_days, "open_error", "issue_provisional_credit", 10000],
		"the smallest sum": [object.union(_ladder_error, {"transactions": [object.union(_ladder_base.transactions[0], {"amount_minor": 1})]}), _ladder_days, "open_error", "issue_provisional_credit", 1],
		"not known to be disputed": [object.union(_ladder_error, {"transactions": [object.remove(_ladder_base.transactions[0], ["disputed"])]}), _ladder_days, "no_positive_sum", "escalate", 0],
	}
	proposal := _edges_propose(row[0], row[1], _ladder_complete)
	[proposal.basis[0].rule, proposal.action, proposal.amount_minor] == [row[2], row[3], row[4]]
}

test_late_claims_within_the_window_name_their_clause if {
	within := object.union(_edges_after, {"notices": [{"notice_id": "n1", "statement_sent_on": "2026-02-10"}]})
	proposal := _edges_propose(object.union(_ladder_unauthorized, within), _ladder_late, _ladder_complete)
	[proposal.basis[0].rule, proposal.action] == ["late_unauthorized_within", "escalate"]
	proposal.basis[0].clause.document_id != ""
}

test_asking_for_evidence_is_of_low_risk if {
	_edges_propose(_ladder_unauthorized, _ladder_days, _ladder_missing).risk == "low"
}

test_a_cap_rests_on_what_was_claimed if {
	proposal := _edges_propose(object.union(_ladder_error, {"claimed_amount_minor": 9999}), _ladder_days, _ladder_complete)
	proposal.amount_minor == 9999
	some ground in proposal.basis
	ground.rule == "claimed_amount_cap"
	ground.facts == ["case/claimed_amount_minor"]
}

test_facts_are_named_only_where_they_are_known if {
	notice := {"notice_id": "n1", "received_on": "2026-03-01", "loss_discovered_on": "2026-02-27"}
	undated := object.remove(_ladder_base.transactions[0], ["posted_on"])
	case := object.union(_ladder_error, {"notices": [notice], "transactions": [undated]})
	_edges_propose(case, _ladder_days, _ladder_complete).basis[0].facts == [
		"notices/n1/loss_discovered_on",
		"notices/n1/received_on",
	]
}
