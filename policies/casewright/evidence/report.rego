# METADATA
# title: Evidence completeness
# description: >-
#   Judges a case against the checklist that its tenant keeps for its type. A tenant or a type
#   without a checklist is never complete. Sealed evidence is neither counted nor named.
package casewright.evidence

import rego.v1

# METADATA
# title: Evidence report
# description: >-
#   `complete` is true only when every needed item is present and nothing contradicts; `items`
#   lists each item of the checklist, sorted by id.
default report := {"complete": false, "items": [{
	"id": "no_checklist",
	"title": "No checklist applies",
	"why": "The tenant keeps no evidence checklist for this type of case, so its evidence cannot be judged.",
	"clause": {"document_id": "", "label": ""},
	"status": "missing",
	"evidence_ids": [],
	"needed": true,
}]}

report := {"complete": _complete, "items": [_by_id[id] | some id in sort(object.keys(_by_id))]} if {
	count(_checklist) > 0
}

_checklist := object.get(data.data.checklists, [_tenant, _case_type], [])

_by_id := {item.id: _judged(item) | some item in _checklist}

default _complete := false

_complete if {
	count(_contradictions) == 0
	every item in _by_id {
		_settled(item)
	}
}

_settled(item) if item.needed == false

_settled(item) if item.status == "present"

_judged(item) := {
	"id": item.id,
	"title": item.title,
	"why": item.why,
	"clause": item.clause,
	"status": status,
	"evidence_ids": _evidence_ids(item, status),
	"needed": _needed(item, status),
} if {
	status := _status(item)
}

default _needed(_, _) := true

_needed(item, _) := false if item.required == false

_needed(_, status) := false if status == "not_applicable"

_status(item) := "not_applicable" if {
	_excluded(item.applies_when)
} else := "contradicted" if {
	_touches_contradiction(item)
} else := "present" if {
	some condition in item.satisfied_by
	_holds(condition)
} else := "missing"

_touches_contradiction(item) if {
	some condition in item.satisfied_by
	condition.fact == "consistent_evidence"
	count(_contradictions) > 0
}

_touches_contradiction(item) if {
	some pair in _contradictions
	pair & _matching_ids(item) == pair
}

_evidence_ids(_, status) := [] if status == "not_applicable"

_evidence_ids(item, status) := sort(_matching_ids(item) | _contradicting_ids(item)) if status != "not_applicable"

_contradicting_ids(item) := {id |
	some condition in item.satisfied_by
	condition.fact == "consistent_evidence"
	some pair in _contradictions
	some id in pair
}

_matching_ids(item) := {found.evidence_id |
	some condition in item.satisfied_by
	some found in _evidence
	_matches(found, condition)
}
