package casewright.evidence_test

import rego.v1

import data.casewright.evidence

_conditions_status(case, item) := status if {
	full := object.union(
		{
			"id": "a", "title": "t", "why": "w", "required": true, "satisfied_by": [],
			"clause": {"document_id": "d", "label": "1.1"},
		},
		item,
	)
	report := evidence.report with input as {"case": object.union({"tenant": "acme", "case_type": "complaint"}, case)}
		with data.data.checklists as {"acme": {"complaint": [full]}}
	status := report.items[0].status
}

_conditions_transfer(id) := {
	"transaction_id": id, "disputed": true, "posted_on": "2026-01-02", "account_id": "a1",
	"amount_minor": 100, "country": "US",
}

_conditions_exhibit(id, extra) := object.union(
	{"evidence_id": id, "kind": "device_log", "trust": "system", "sealed": false, "supports": "neutral"},
	extra,
)

_conditions_by_log := {"satisfied_by": [{"evidence": ["device_log"], "trust": ["system"]}]}

test_a_fact_holds_or_is_missing[name] if {
	some name, row in {
		"account_number": [{"accounts": [{"number_last4": "1234"}]}, {"accounts": [{}]}],
		"customer_party": [{"parties": [{"role": "customer"}]}, {"parties": [{"role": "merchant"}]}],
		"disputed_transfer": [
			{"transactions": [_conditions_transfer("t1")]},
			{"transactions": [object.union(_conditions_transfer("t1"), {"disputed": false})]},
		],
		"notice": [{"notices": [{"kind": "oral"}]}, {"notices": []}],
		"oral_notice_confirmed": [
			{"notices": [{"written_confirmation_on": "2026-01-05"}]},
			{"notices": [{"kind": "oral"}]},
		],
		"own_words": [{"narrative": "It was not me."}, {"narrative": " \n"}],
		"statement_date": [{"notices": [{"statement_sent_on": "2026-01-01"}]}, {"notices": [{"kind": "oral"}]}],
		"transfer_country": [{"transactions": [_conditions_transfer("t1")]}, {"transactions": []}],
	}
	item := {"satisfied_by": [{"fact": name}]}
	[_conditions_status(case, item) | some case in row] == ["present", "missing"]
}

test_every_disputed_transfer_needs_the_field[name] if {
	some name, row in {
		"date": ["disputed_transfer", "posted_on"],
		"account": ["disputed_transfer", "account_id"],
		"amount": ["disputed_transfer", "amount_minor"],
		"country": ["transfer_country", "country"],
	}
	case := {"transactions": [_conditions_transfer("t1"), object.remove(_conditions_transfer("t2"), [row[1]])]}
	_conditions_status(case, {"satisfied_by": [{"fact": row[0]}]}) == "missing"
}

test_joint_holder_counts_as_customer if {
	_conditions_status({"parties": [{"role": "joint_holder"}]}, {"satisfied_by": [{"fact": "customer_party"}]}) == "present"
}

test_a_refund_is_no_disputed_sum if {
	case := {"transactions": [object.union(_conditions_transfer("t1"), {"amount_minor": 0})]}
	_conditions_status(case, {"satisfied_by": [{"fact": "disputed_transfer"}]}) == "missing"
}

test_evidence_must_fit_kind_origin_and_transfer[name] if {
	both := [_conditions_transfer("t1"), _conditions_transfer("t2")]
	some name, row in {
		"whole case": ["present", both, [_conditions_exhibit("e1", {})]],
		"each transfer": ["present", both, [_conditions_exhibit("e1", {"transaction_id": "t1"}), _conditions_exhibit("e2", {"transaction_id": "t2"})]],
		"one of two transfers": ["missing", both, [_conditions_exhibit("e1", {"transaction_id": "t1"})]],
		"no transfers": ["present", [], [_conditions_exhibit("e1", {"transaction_id": "t9"})]],
		"no transfers, no evidence": ["missing", [], []],
		"wrong kind": ["missing", both, [_conditions_exhibit("e1", {"kind": "other"})]],
		"wrong origin": ["missing", both, [_conditions_exhibit("e1", {"trust": "untrusted"})]],
		"sealed": ["missing", both, [_conditions_exhibit("e1", {"sealed": true})]],
		"seal unknown": ["missing", both, [object.remove(_conditions_exhibit("e1", {}), ["sealed"])]],
	}
	_conditions_status({"transactions": row[1], "evidence": row[2]}, _conditions_by_log) == row[0]
}

test_a_condition_excludes_only_when_it_is_false[name] if {
	some name, row in {
		"card used": ["missing", "access_device_used", {"transactions": [_conditions_transfer("t1"), {"disputed": true, "access_device": "card"}]}],
		"device none": ["not_applicable", "access_device_used", {"transactions": [{"disputed": true, "access_device": "none"}]}],
		"device absent": ["not_applicable", "access_device_used", {"transactions": [_conditions_transfer("t1")]}],
		"abroad": ["missing", "foreign_transfer", {"transactions": [_conditions_transfer("t1"), {"disputed": true, "country": "PT"}]}],
		"territory": ["not_applicable", "foreign_transfer", {"transactions": [{"disputed": true, "country": "PR"}]}],
		"oral": ["missing", "oral_notice_only", {"notices": [{"kind": "oral"}]}],
		"oral and written": ["not_applicable", "oral_notice_only", {"notices": [{"kind": "oral"}, {"kind": "written"}]}],
		"no notice": ["missing", "oral_notice_only", {}],
	}
	_conditions_status(row[2], {"applies_when": row[1]}) == row[0]
}
