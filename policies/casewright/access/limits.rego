# Budgets and kill switches.
# Deny at call time only: what is listed may not depend on earlier calls. A limit or switch that
# is missing from the data, or not of its type, denies.

package casewright.access

import future.keywords.not
import rego.v1

deny contains _reason("budget_spent", sprintf("the %s of this run are spent", [limit])) if {
	input.mode == "call"
	some field, limit in {"tool_calls": "tool calls", "step": "steps"}
	not input.context[field] < _tables.limits[input.actor.kind][field]
}

deny contains _reason("switched_off", "everything is switched off") if {
	input.mode == "call"
	not _tables.switches.everything == false
}

deny contains _reason("switched_off", sprintf("the %s switch is not a list", [name])) if {
	input.mode == "call"
	some name in ["tools", "agents", "tenants"]
	not is_array(_tables.switches[name])
}

deny contains _reason("switched_off", sprintf("tool %s is switched off", [_tool_name])) if {
	input.mode == "call"
	some name in [_tool_name, input.tool.name, input.tool.server]
	name in _tables.switches.tools
}

deny contains _reason("switched_off", sprintf("agent %s is switched off", [input.actor.agent])) if {
	input.mode == "call"
	input.actor.kind == "agent"
	input.actor.agent in _tables.switches.agents
}

deny contains _reason("switched_off", "the tenant is switched off") if {
	input.mode == "call"
	input.principal.tenant in _tables.switches.tenants
}
