# What allows.
# A role that may use the tool and reaches the resource. Any deny rule still wins.

package casewright.access

import future.keywords.not
import rego.v1

# METADATA
# title: Reasons to allow
# description: One entry for every role and way by which the call is allowed.
allow contains _reason("could_be_allowed", sprintf("role %s may use %s", [role, _tool_name])) if {
	input.mode == "list"
	some role in _roles
}

allow contains _reason("open_to_role", sprintf("role %s may use %s", [role, _tool_name])) if {
	input.mode == "call"
	some role in _reaching
	not _tool.resource in _case_kinds
}

allow contains _reason("assigned", sprintf("role %s is assigned to the case", [role])) if {
	input.mode == "call"
	some role in _reaching
	_tool.resource in _case_kinds
	_tables.roles[role].cases == "assigned"
}

allow contains _reason("tenant_wide", sprintf("role %s covers all cases of the tenant", [role])) if {
	input.mode == "call"
	some role in _reaching
	_tool.resource in _case_kinds
	_tables.roles[role].cases == "tenant"
}
