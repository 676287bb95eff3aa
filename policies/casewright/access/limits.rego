# Budgets and kill switches.
# Deny at call time only: what is listed may not depend on earlier calls. Switches of the reviewed
# data and of the live controls both count; live limits replace reviewed ones up to the ceilings.
# A limit or switch that is missing from the data, or not of its type, denies.

package casewright.access

import future.keywords.not
import rego.v1

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

_switches := [_tables.switches, input.context.controls.switches]

deny contains _reason("switched_off", "everything is switched off") if {
	input.mode == "call"
	some at in [0, 1]
	not _switches[at].everything == false
}

deny contains _reason("switched_off", sprintf("the %s switch is not a list", [name])) if {
	input.mode == "call"
	some at in [0, 1]
	some name in ["tools", "agents", "models", "tenants"]
	not is_array(_switches[at][name])
}

deny contains _reason("switched_off", sprintf("tool %s is switched off", [_tool_name])) if {
	input.mode == "call"
	some switches in _switches
	some name in [_tool_name, input.tool.name, input.tool.server]
	name in switches.tools
}

deny contains _reason("switched_off", sprintf("agent %s is switched off", [input.actor.agent])) if {
	input.mode == "call"
	input.actor.kind == "agent"
	some switches in _switches
	input.actor.agent in switches.agents
}

deny contains _reason("switched_off", "the tenant is switched off") if {
	input.mode == "call"
	some switches in _switches
	input.principal.tenant in switches.tenants
}
