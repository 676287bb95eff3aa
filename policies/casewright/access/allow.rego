# What allows.
# A role that may use the tool and reaches the resource. Any deny rule still wins.

package casewright.access

import future.keywords.not
import rego.v1

# METADATA
# title: Could be allowed
# description: Listing only. A role of the caller may use the tool, on some resource.
allow contains _reason("could_be_allowed", sprintf("role %s may use %s", [role, _tool_name])) if {
	input.mode == "list"
	some role in _roles
}

# METADATA
# title: Open to the role
# description: The tool acts on no case, and a role of the caller may use it.
allow contains _reason("open_to_role", sprintf("role %s may use %s", [role, _tool_name])) if {
	input.mode == "call"
	some role in _reaching
	not _tool.resource in _case_kinds
}

# METADATA
# title: Assigned
# description: The case is assigned to the caller, and a role of theirs may use the tool on assigned cases.
allow contains _reason("assigned", sprintf("role %s is assigned to the case", [role])) if {
	input.mode == "call"
	some role in _reaching
	_tool.resource in _case_kinds
	_tables.roles[role].cases == "assigned"
}

# METADATA
# title: Covers the tenant
# description: A role of the caller may use the tool on every case of their tenant.
allow contains _reason("tenant_wide", sprintf("role %s covers all cases of the tenant", [role])) if {
	input.mode == "call"
	some role in _reaching
	_tool.resource in _case_kinds
	_tables.roles[role].cases == "tenant"
}
