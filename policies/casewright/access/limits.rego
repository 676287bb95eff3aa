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
	not budget in _left
}

_left contains budget if {
	some budget, ceiling in _tables.limits.ceilings[input.actor.kind]
	limit := object.get(_live_limits, budget, _tables.limits[input.actor.kind][budget])
	is_number(limit)
	is_number(ceiling)
	_spent[budget] < limit
	_spent[budget] < ceiling
}

# A limit that is set live replaces the reviewed one.
_live_limits := object.get(input.context.controls.limits, input.actor.kind, {})

_spent := {
	"tool_calls": input.context.budgets.tool_calls,
	"steps": max([input.context.step, input.context.budgets.steps]),
}
