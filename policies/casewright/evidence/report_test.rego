package casewright.evidence_test

import data.casewright.evidence

import future.keywords.not
import rego.v1

_report_clause := {"document_id": "d", "label": "1.1"}

_report_item(id, extra) := object.union(
	{"id": id, "title": "t", "why": "w", "clause": _report_clause, "required": true, "satisfied_by": []},
	extra,
)

_report_log := {"evidence": ["transaction_log"], "trust": ["system"]}

_report_checklists(items) := {"acme": {"complaint": items}}

_report_case(extra) := object.union({"tenant": "acme", "case_type": "complaint"}, extra)

_report_exhibit(id, extra) := object.union(
	{"evidence_id": id, "kind": "transaction_log", "trust": "system", "sealed": false, "supports": "neutral"},
	extra,
)

_report(case, items) := report if {
	report := evidence.report with input as {"case": case}
		with data.data.checklists as _report_checklists(items)
}

_report_none := ["no_checklist"]

test_without_a_checklist_nothing_is_complete[name] if {
	some name, case in {
		"no case": {},
		"no tenant": {"case_type": "complaint"},
		"other tenant": {"tenant": "other", "case_type": "complaint"},
		"no type": {"tenant": "acme"},
		"other type": {"tenant": "acme", "case_type": "card_dispute"},
	}
	report := _report(case, [_report_item("a", {"required": false})])
	not report.complete
	[item.id | some item in report.items] == _report_none
	report.items[0].status == "missing"
	report.items[0].needed
}

test_an_empty_checklist_is_no_checklist if {
	report := _report(_report_case({}), [])
	[item.id | some item in report.items] == _report_none
}

test_items_are_sorted_by_id if {
	report := _report(_report_case({}), [_report_item("b", {}), _report_item("a", {}), _report_item("c", {})])
	[item.id | some item in report.items] == ["a", "b", "c"]
}

test_an_item_is_reported_whole if {
	report := _report(_report_case({"evidence": [_report_exhibit("e1", {})]}), [_report_item("a", {"satisfied_by": [_report_log]})])
	report == {"complete": true, "items": [{
		"id": "a",
		"title": "t",
		"why": "w",
		"clause": _report_clause,
		"status": "present",
		"evidence_ids": ["e1"],
		"needed": true,
	}]}
}

test_each_status_settles_completeness[name] if {
	some name, row in {
		"missing": {"item": {}, "status": "missing", "needed": true, "complete": false},
		"missing, optional": {"item": {"required": false}, "status": "missing", "needed": false, "complete": true},
		"unknown fact": {
			"item": {"satisfied_by": [{"fact": "moon_phase"}]},
			"status": "missing", "needed": true, "complete": false,
		},
		"unknown condition": {
			"item": {"applies_when": "full_moon"},
			"status": "missing", "needed": true, "complete": false,
		},
		"excluded": {
			"item": {"applies_when": "foreign_transfer"},
			"status": "not_applicable", "needed": false, "complete": true,
		},
		"excluded despite evidence": {
			"item": {"applies_when": "foreign_transfer", "satisfied_by": [_report_log]},
			"status": "not_applicable", "needed": false, "complete": true,
		},
		"second way": {
			"item": {"satisfied_by": [{"fact": "notice"}, _report_log]},
			"status": "present", "needed": true, "complete": true,
		},
	}
	report := _report(_report_case({"evidence": [_report_exhibit("e1", {})]}), [_report_item("a", row.item)])
	report.complete == row.complete
	report.items[0].status == row.status
	report.items[0].needed == row.needed
	_report_silent_when_excluded(report.items[0])
}

_report_silent_when_excluded(item) if item.status != "not_applicable"

_report_silent_when_excluded(item) if item.evidence_ids == []
