# METADATA
# title: Rule parameters
# description: >-
#   Chooses which deadlines and limits apply to a case from the values that the tenant had in
#   force when the case was received. Dates are counted elsewhere; this package only names the
#   start, the count and the clause. A deadline whose start is unknown is left out.
package casewright.parameters

import rego.v1

# METADATA
# title: Deadlines and limits
# description: Both lists are sorted by id; a tenant without parameters has neither.
default rules := {"deadlines": [], "limits": []}

rules := {
	"deadlines": [_deadlines[id] | some id in sort(object.keys(_deadlines))],
	"limits": [_limits[id] | some id in sort(object.keys(_limits))],
} if {
	values.effective_from
}

# METADATA
# title: Values in force
# description: The tenant's newest set of values that was effective when the case was received.
default values := {}

values := _in_force[max(object.keys(_in_force))]

_in_force := {set.effective_from: set |
	some set in object.get(data.data.parameters, _tenant, [])
	set.effective_from <= _case.received_on
}

_deadlines[id] := object.union(_named(entry, id), {"from": start, "count": entry.count, "unit": entry.unit}) if {
	some id, variants in values.deadlines
	some variant in _variant_of[id]
	entry := variants[variant]
	start := _start_of[id]
}

_limits[id] := object.union(_named(entry, id), {"amount_minor": entry.amount_minor}) if {
	some id, variants in values.limits
	some variant in _limit_variant_of[id]
	entry := variants[variant]
}

_named(entry, id) := {"id": id, "title": entry.title, "clause": entry.clause, "because": entry.because}
