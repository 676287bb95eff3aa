# Budgets.
# Deny at call time only: what is listed may not depend on earlier calls. Live limits replace
# reviewed ones up to the ceilings. A limit that is missing from the data, or no number, denies.

package casewright.access

import future.keywords.not
import rego.v1

# METADATA
# title: Budget spent
# description: The run has used its tool calls or its steps.
deny contains _reason("budget_spent", sprintf("the %s of this run are spent", [name])) if {
	input.mode == "call"
	some budget, name in {"tool_calls": "tool calls", "steps": "steps"}
	not _spent[budget] < _limit[budget]
}

_spent := {
	"tool_calls": input.context.budgets.tool_calls,
	"steps": max([input.context.step, input.context.budgets.steps]),
}

_limit[budget] := min([wanted, ceiling]) if {
	some budget, ceiling in _tables.limits.ceilings[input.actor.kind]
	wanted := _wanted(budget)
	is_number(wanted)
	is_number(ceiling)
}

# A limit that is set live replaces the reviewed one.
_wanted(budget) := input.context.controls.limits[input.actor.kind][budget]

_wanted(budget) := _tables.limits[input.actor.kind][budget] if {
	not is_number(input.context.controls.limits[input.actor.kind][budget])
}
