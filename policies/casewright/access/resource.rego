# What denies because of the resource.
# Tenant, case, conflict, assignment, seal and classification of what is asked for; calls only.

package casewright.access

import future.keywords.not
import rego.v1

# METADATA
# title: Another kind of resource
# description: The server loaded something else than the tool is registered to act on.
deny contains _reason("resource_mismatch", sprintf("%s does not act on %s", [_tool_name, input.resource.kind])) if {
	input.mode == "call"
	not _tool.resource == input.resource.kind
}

# METADATA
# title: Absent
# description: There is no such thing in the caller's tenant.
deny contains _reason("absent", "what is asked for does not exist") if {
	_on_something
	input.resource.exists == false
}

# METADATA
# title: Another tenant's
# description: Nothing crosses tenants.
deny contains _reason("other_tenant", "what is asked for belongs to another tenant") if {
	_on_something
	input.resource.tenant != input.principal.tenant
}

# METADATA
# title: Clearance too low
# description: The classification is higher than the caller is cleared for.
deny contains _reason("clearance", sprintf("clearance %s is too low", [input.principal.clearance])) if {
	_on_something
	not _rank[input.principal.clearance] >= _rank[input.resource.classification]
}

# METADATA
# title: Conflict of interest
# description: The case names the caller among those who may neither see nor decide it.
deny contains _reason("conflict_of_interest", "the caller has a conflict of interest on this case") if {
	_on_something
	input.principal.id in input.resource.conflicts
}

# METADATA
# title: Another case
# description: The token is for one case, and this is not it.
deny contains _reason("case_mismatch", "the token names another case") if {
	_on_something
	_bound_to_a_case
	not _case_id == input.actor.case_id
}

_bound_to_a_case if not _tool.case_bound == false

# A token that names a case is for that case alone, also for a tool that asks for none.
_bound_to_a_case if {
	input.resource.kind in _case_kinds
	input.actor.case_id != ""
}

# METADATA
# title: Not assigned
# description: The case is not assigned to the caller, and no role of theirs covers the whole tenant.
deny contains _reason("not_assigned", "no role of the caller reaches this case") if {
	_on_something
	input.resource.kind in _case_kinds
	count(_reaching) == 0
}

# METADATA
# title: Sealed matter
# description: The whole matter is sealed, and no role by which the caller reaches it may open seals.
deny contains _reason("sealed_matter", "the matter is sealed") if {
	_on_something
	input.resource.kind in _case_kinds
	not input.resource.sealed == false
	count(_unsealing) == 0
}

_on_something if {
	input.mode == "call"
	input.resource.kind != "none"
}
