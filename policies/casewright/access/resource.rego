# What denies because of the resource.
# Tenant, case, conflict, assignment and classification of what is asked for; calls only.

package casewright.access

import future.keywords.not
import rego.v1

deny contains _reason("resource_mismatch", sprintf("%s does not act on %s", [_tool_name, input.resource.kind])) if {
	input.mode == "call"
	not _tool.resource == input.resource.kind
}

deny contains _reason("absent", "what is asked for does not exist") if {
	_on_something
	input.resource.exists == false
}

deny contains _reason("other_tenant", "what is asked for belongs to another tenant") if {
	_on_something
	input.resource.tenant != input.principal.tenant
}

deny contains _reason("clearance", sprintf("clearance %s is too low", [input.principal.clearance])) if {
	_on_something
	not _rank[input.principal.clearance] >= _rank[input.resource.classification]
}

deny contains _reason("conflict_of_interest", "the caller has a conflict of interest on this case") if {
	_on_something
	input.principal.id in input.resource.conflicts
}

deny contains _reason("case_mismatch", "the token names another case") if {
	_on_something
	not _tool.case_bound == false
	not _case_id == input.actor.case_id
}

deny contains _reason("not_assigned", "no role of the caller reaches this case") if {
	_on_something
	input.resource.kind in _case_kinds
	count(_reaching) == 0
}

deny contains _reason("run_mismatch", "this belongs to another run than the agent's") if {
	_on_something
	input.actor.kind == "agent"
	input.resource.kind in {"draft", "action"}
	input.resource.run_id != input.actor.run_id
}

_on_something if {
	input.mode == "call"
	input.resource.kind != "none"
}
