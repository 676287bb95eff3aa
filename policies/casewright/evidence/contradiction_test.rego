package casewright.evidence_test

import data.casewright.evidence

import future.keywords.not
import rego.v1

_contradiction_clause := {"document_id": "d", "label": "1.1"}

_contradiction_checklists := {"acme": {"complaint": [
	{
		"id": "consistent", "title": "t", "why": "w", "clause": _contradiction_clause, "required": false,
		"satisfied_by": [{"fact": "consistent_evidence"}],
	},
	{
		"id": "record", "title": "t", "why": "w", "clause": _contradiction_clause, "required": true,
		"satisfied_by": [{"evidence": ["transaction_log", "device_log"], "trust": ["system"]}],
	},
]}}

_contradiction_exhibit(id, side, extra) := object.union(
	{
		"evidence_id": id, "kind": "transaction_log", "trust": "system", "sealed": false,
		"supports": side, "transaction_id": "t1",
	},
	extra,
)

_contradiction_other := {"kind": "other", "trust": "untrusted"}

_contradiction_report(exhibits) := report if {
	case := {"tenant": "acme", "case_type": "complaint", "evidence": exhibits}
	report := evidence.report with input as {"case": case}
		with data.data.checklists as _contradiction_checklists
}

test_opposite_weighty_items_contradict[name] if {
	some name, exhibits in {
		"two system records": [_contradiction_exhibit("e1", "customer", {}), _contradiction_exhibit("e2", "institution", {})],
		"reverse order": [_contradiction_exhibit("e2", "institution", {}), _contradiction_exhibit("e1", "customer", {})],
		"staff note against system": [
			_contradiction_exhibit("e1", "customer", {"kind": "investigation_note", "trust": "staff"}),
			_contradiction_exhibit("e2", "institution", {}),
		],
		"outside document against system": [
			_contradiction_exhibit("e1", "customer", {"kind": "police_report", "trust": "untrusted"}),
			_contradiction_exhibit("e2", "institution", {}),
		],
		"both speak of the whole case": [
			object.remove(_contradiction_exhibit("e1", "customer", {}), ["transaction_id"]),
			object.remove(_contradiction_exhibit("e2", "institution", {}), ["transaction_id"]),
		],
	}
	report := _contradiction_report(exhibits)
	not report.complete
	report.items[0].status == "contradicted"
	report.items[0].evidence_ids == ["e1", "e2"]
}

test_an_item_that_rests_on_both_sides_is_contradicted if {
	report := _contradiction_report([_contradiction_exhibit("e1", "customer", {}), _contradiction_exhibit("e2", "institution", {"kind": "device_log"})])
	report.items[1].status == "contradicted"
}

test_an_item_that_rests_on_one_side_is_not if {
	report := _contradiction_report([_contradiction_exhibit("e1", "customer", {}), _contradiction_exhibit("e2", "institution", {"kind": "account_statement"})])
	report.items[1].status == "present"
	not report.complete
}

test_a_contradiction_blocks_even_an_unlisted_check if {
	report := evidence.report with input as {"case": {
		"tenant": "acme", "case_type": "complaint",
		"evidence": [_contradiction_exhibit("e1", "customer", {}), _contradiction_exhibit("e2", "institution", {"kind": "account_statement"})],
	}}
		with data.data.checklists as {"acme": {"complaint": [_contradiction_checklists.acme.complaint[1]]}}
	not report.complete
}

test_these_do_not_contradict[name] if {
	some name, exhibits in {
		"other transfer": [
			_contradiction_exhibit("e1", "customer", {"transaction_id": "t2"}),
			_contradiction_exhibit("e2", "institution", {}),
		],
		"same side": [_contradiction_exhibit("e1", "customer", {}), _contradiction_exhibit("e2", "customer", {})],
		"neutral": [_contradiction_exhibit("e1", "customer", {}), _contradiction_exhibit("e2", "neutral", {})],
		"customer's word": [_contradiction_exhibit("e1", "customer", _contradiction_other), _contradiction_exhibit("e2", "institution", {})],
		"merchant's word": [_contradiction_exhibit("e1", "customer", {}), _contradiction_exhibit("e2", "institution", _contradiction_other)],
		"sealed": [_contradiction_exhibit("e1", "customer", {}), _contradiction_exhibit("e2", "institution", {"sealed": true})],
	}
	report := _contradiction_report(exhibits)
	report.items[0].status == "present"
}
