# What roles and tools are.
# Reads the tables of tools, roles and agents; grants nothing by itself.

package casewright.access

import future.keywords.not
import rego.v1

_tables := data.data.access

_tool := _tables.tools[input.tool.server][input.tool.name]

_tool_name := concat("/", [input.tool.server, input.tool.name])

_case_kinds := {"case", "draft", "action"}

_rank := {"public": 0, "internal": 1, "confidential": 2, "restricted": 3}

# Roles of the principal that may use this tool with this verb at all.
_roles contains role if {
	some role in input.principal.roles
	role in _tool.roles
	_tool.verb in _tables.roles[role].verbs
}

# Of those, the ones that also reach what is asked for. One role must do both.
_reaching contains role if {
	some role in _roles
	not _tool.resource in _case_kinds
}

_reaching contains role if {
	some role in _roles
	_tool.resource in _case_kinds
	_tables.roles[role].cases == "tenant"
}

_reaching contains role if {
	some role in _roles
	_tool.resource in _case_kinds
	_tables.roles[role].cases == "assigned"
	input.principal.id in input.resource.assigned_to
}

_unsealing contains role if {
	input.mode == "call"
	some role in _reaching
	_tables.roles[role].sealed == true
}

_in_scope if input.tool.name in input.actor.scopes

_in_scope if {
	input.actor.kind == "user"
	"*" in input.actor.scopes
}

# A draft or an action is named "case" or "case/own id"; "/" occurs in no case id.
_case_id := split(input.resource.id, "/")[0]
