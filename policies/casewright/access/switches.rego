# Kill switches.
# Those of the reviewed data and of the live controls both count; at call time only. A switch that
# is missing from the data, or not of its type, denies. What changes the switches is not switched
# off by them, so that whoever pulled one can put it back.

package casewright.access

import future.keywords.not
import rego.v1

_switches := [_tables.switches, input.context.controls.switches]

# METADATA
# title: Everything is off
# description: The switch for everything is not exactly off.
deny contains _reason("switched_off", "everything is switched off") if {
	input.mode == "call"
	not _unswitchable
	some at in [0, 1]
	not _switches[at].everything == false
}

# METADATA
# title: A malformed switch
# description: A switch is missing from the policy data or is no list.
deny contains _reason("switched_off", sprintf("the %s switch is not a list", [name])) if {
	input.mode == "call"
	some name in ["tools", "agents", "models", "tenants"]
	not is_array(_tables.switches[name])
}

# METADATA
# title: The tool is off
# description: The tool, its name on every server, or its server is switched off.
deny contains _reason("switched_off", sprintf("tool %s is switched off", [_tool_name])) if {
	input.mode == "call"
	not _unswitchable
	some switches in _switches
	some name in [_tool_name, input.tool.name, input.tool.server]
	name in switches.tools
}

# METADATA
# title: The agent is off
# description: The agent is switched off.
deny contains _reason("switched_off", sprintf("agent %s is switched off", [input.actor.agent])) if {
	input.mode == "call"
	input.actor.kind == "agent"
	some switches in _switches
	input.actor.agent in switches.agents
}

# METADATA
# title: The tenant is off
# description: Everybody of the tenant is switched off.
deny contains _reason("switched_off", "the tenant is switched off") if {
	input.mode == "call"
	not _unswitchable
	some switches in _switches
	input.principal.tenant in switches.tenants
}

_unswitchable if _tool.unswitchable == true
