package casewright.parameters_test

import data.casewright.parameters

import future.keywords.not
import rego.v1

# Real values of the sample tenant: 10 or 20 business days, 45 or 90 calendar days.
_choice_rules(case, days) := rules if {
	base := {
		"tenant": "harborline", "case_type": "unauthorized_transfer", "received_on": "2026-03-02",
		"notices": [{"received_on": "2026-03-02", "kind": "written"}],
	}
	rules := parameters.rules with input as {"case": object.union(base, case), "days": days}
}

_choice_counts(rules) := {deadline.id: deadline.count | some deadline in rules.deadlines}

_choice_amounts(rules) := {limit.id: limit.amount_minor | some limit in rules.limits}

_choice_transfer(extra) := {"transactions": [object.union({"disputed": true, "channel": "online"}, extra)]}

test_the_longer_period_follows_the_facts[name] if {
	some name, row in {
		"ordinary": [_choice_transfer({}), -1, 10, 45],
		"no transfers": [{}, -1, 10, 45],
		"point of sale": [_choice_transfer({"channel": "point_of_sale"}), -1, 10, 90],
		"undisputed point of sale": [_choice_transfer({"channel": "point_of_sale", "disputed": false}), -1, 10, 45],
		"not known to be disputed": [{"transactions": [{"channel": "point_of_sale"}]}, -1, 10, 45],
		"abroad": [_choice_transfer({"country": "PT"}), -1, 10, 90],
		"at home": [_choice_transfer({"country": "US"}), -1, 10, 45],
		"territory": [_choice_transfer({"country": "PR"}), -1, 10, 45],
		"country empty": [_choice_transfer({"country": ""}), -1, 10, 45],
		"first day of account": [_choice_transfer({}), 0, 20, 90],
		"last new day": [_choice_transfer({}), 30, 20, 90],
		"no longer new": [_choice_transfer({}), 31, 10, 45],
	}
	counts := _choice_counts(_choice_rules(row[0], {"account_age_at_transaction_days": row[1]}))
	counts == {"investigation": row[2], "provisional_credit": row[2], "investigation_extended": row[3]}
}

_choice_because(case, days) := {deadline.because |
	some deadline in _choice_rules(case, days).deadlines
	deadline.id == "investigation_extended"
}

test_the_reason_names_the_strongest_ground[name] if {
	pos_abroad := _choice_transfer({"channel": "point_of_sale", "country": "PT"})
	some name, row in {
		"new account": [pos_abroad, {"account_age_at_transaction_days": 3}, "first deposit"],
		"abroad": [pos_abroad, {}, "outside the United States"],
		"point of sale": [_choice_transfer({"channel": "point_of_sale"}), {}, "point of sale"],
	}
	some because in _choice_because(row[0], row[1])
	contains(because, row[2])
}

test_the_customers_share_follows_the_delay[name] if {
	some name, row in {
		"same day": [{"notice_after_loss_business_days": 0}, 5000],
		"two business days": [{"notice_after_loss_business_days": 2}, 5000],
		"three business days": [{"notice_after_loss_business_days": 3}, 50000],
		"no loss, in time": [{"notice_after_loss_business_days": -1, "notice_after_statement_days": 60}, 0],
		"no loss, first day": [{"notice_after_statement_days": 0}, 0],
	}
	_choice_amounts(_choice_rules(_choice_transfer({}), row[0])).customer_liability == row[1]
}

test_the_customers_share_is_unknown_without_dates[name] if {
	some name, days in {
		"nothing known": {"notice_after_loss_business_days": -1, "notice_after_statement_days": -1},
		"nothing given": {},
		"late after statement": {"notice_after_statement_days": 61},
	}
	not _choice_amounts(_choice_rules(_choice_transfer({}), days)).customer_liability
}

test_only_unauthorized_transfers_have_a_customers_share if {
	rules := _choice_rules(
		object.union(_choice_transfer({}), {"case_type": "transfer_error"}),
		{"notice_after_loss_business_days": 1, "notice_after_statement_days": 5},
	)
	_choice_amounts(rules) == {"provisional_credit_withholding": 0, "single_approval": 500000}
}

test_withholding_needs_every_ground[name] if {
	late := {"notice_after_loss_business_days": 3}
	some name, row in {
		"card, late": [_choice_transfer({"access_device": "card"}), late, 5000],
		"code, late": [_choice_transfer({"access_device": "code"}), late, 5000],
		"card, in time": [_choice_transfer({"access_device": "card"}), {"notice_after_loss_business_days": 2}, 0],
		"card, unknown": [_choice_transfer({"access_device": "card"}), {}, 0],
		"password, late": [_choice_transfer({"access_device": "online_credentials"}), late, 0],
		"error, late": [object.union(_choice_transfer({"access_device": "card"}), {"case_type": "transfer_error"}), late, 0],
	}
	_choice_amounts(_choice_rules(row[0], row[1])).provisional_credit_withholding == row[2]
}
