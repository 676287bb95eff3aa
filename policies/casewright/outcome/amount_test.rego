package casewright.outcome_test

import rego.v1

import data.casewright.outcome

_amount_complete := {"complete": true, "items": [{"id": "a", "status": "present", "needed": true}]}

_amount_transfers(amounts) := [
{
	"transaction_id": sprintf("t%d", [index]), "disputed": true, "posted_on": "2026-02-20", "amount_minor": amount,
	"currency": "USD", "access_device": "card",
} |
	some index, amount in amounts
]

_amount_propose(case, loss_days) := proposal if {
	base := {
		"tenant": "harborline", "case_type": "unauthorized_transfer", "received_on": "2026-03-01", "currency": "USD",
		"notices": [{"notice_id": "n1", "received_on": "2026-03-01", "loss_discovered_on": "2026-02-20"}],
	}
	proposal := outcome.proposal with input as {
		"case": object.union(base, case),
		"days": {"notice_after_statement_days": 5, "notice_after_loss_business_days": loss_days},
		"evidence": _amount_complete,
	}
}

_amount_found_error := [{"event_id": "investigation_found_error", "on": "2026-03-09"}]

_amount_rules(proposal) := [ground.rule | some ground in proposal.basis]

test_the_credit_is_the_disputed_sum_less_what_is_deducted[name] if {
	some name, row in {
		"sum": [{"transactions": _amount_transfers([41260, 9615])}, 1, 50875, []],
		"refunds do not count": [{"transactions": _amount_transfers([41260, -9615])}, 1, 41260, []],
		"undisputed do not count": [
			{"transactions": array.concat(_amount_transfers([100]), [{"transaction_id": "x", "disputed": false, "amount_minor": 7}])},
			1, 100, [],
		],
		"withheld": [{"transactions": _amount_transfers([60000])}, 9, 55000, ["amount_withheld"]],
		"claimed less": [{"transactions": _amount_transfers([60000]), "claimed_amount_minor": 20000}, 1, 20000, ["claimed_amount_cap"]],
		"claimed less after withholding": [
			{"transactions": _amount_transfers([60000]), "claimed_amount_minor": 54999}, 9, 54999,
			["amount_withheld", "claimed_amount_cap"],
		],
		"claimed what is left": [{"transactions": _amount_transfers([60000]), "claimed_amount_minor": 55000}, 9, 55000, ["amount_withheld"]],
		"claimed more": [{"transactions": _amount_transfers([60000]), "claimed_amount_minor": 99999}, 1, 60000, []],
		"customer bears 50.00": [{"transactions": _amount_transfers([18640]), "timeline": _amount_found_error}, 2, 13640, ["customer_share"]],
		"customer bears 500.00": [{"transactions": _amount_transfers([80000]), "timeline": _amount_found_error}, 3, 30000, ["customer_share"]],
		"customer bears nothing": [{"transactions": _amount_transfers([80000]), "timeline": _amount_found_error}, -1, 80000, []],
		"bank bears its own error": [
			{"case_type": "transfer_error", "transactions": _amount_transfers([80000]), "timeline": _amount_found_error}, 3, 80000, [],
		],
	}
	proposal := _amount_propose(row[0], row[1])
	proposal.amount_minor == row[2]
	_amount_rules(proposal) == array.concat([proposal.basis[0].rule, "amount_in_dispute"], row[3])
}

test_a_sum_that_is_not_positive_goes_to_a_supervisor[name] if {
	some name, row in {
		"claim of nothing": [{"transactions": _amount_transfers([100]), "claimed_amount_minor": 0}, 1],
		"negative claim": [{"transactions": _amount_transfers([100]), "claimed_amount_minor": -5}, 1],
		"all withheld": [{"transactions": _amount_transfers([5000])}, 9],
		"customer bears it all": [{"transactions": _amount_transfers([5000]), "timeline": _amount_found_error}, 1],
		"only refunds": [{"transactions": _amount_transfers([-100])}, 1],
	}
	proposal := _amount_propose(row[0], row[1])
	[proposal.action, proposal.amount_minor, proposal.basis[0].rule] == ["escalate", 0, "no_positive_sum"]
}

test_risk_follows_the_amount_and_the_action[name] if {
	refuted := [{"event_id": "investigation_found_no_error", "on": "2026-03-09"}]
	some name, row in {
		"low, at the edge": [[50000], [], "low"],
		"medium, just above": [[50001], [], "medium"],
		"medium, at the edge": [[500000], [], "medium"],
		"high, just above": [[500001], [], "high"],
		"denial, at the edge": [[100000], refuted, "medium"],
		"denial, just above": [[100001], refuted, "high"],
		"small denial": [[1], refuted, "medium"],
	}
	_amount_propose({"transactions": _amount_transfers(row[0]), "timeline": row[1]}, -1).risk == row[2]
}

test_risk_of_actions_that_move_no_money[risk] if {
	some risk, cases in {
		"low": [{"state": "closed"}, {"duplicate_of": "X"}, {"timeline": [{"event_id": "provisional_credit_issued", "on": "2026-03-02"}]}],
		"medium": [{"case_type": "adverse_action"}, {"case_type": "lottery"}, {"parties": [{"party_id": "p", "role": "employee"}]}],
	}
	every case in cases {
		proposal := _amount_propose(object.union({"transactions": _amount_transfers([900000])}, case), -1)
		proposal.risk == risk
		proposal.amount_minor == 0
		count(proposal.basis) == 1
	}
}
