# What denies because of the caller.
# Tool, agent, scope and role; known without the resource, so it also hides listing entries.

package casewright.access

import future.keywords.not
import rego.v1

# METADATA
# title: Reasons to deny
# description: One entry is enough to deny, whatever allows.
deny contains _reason("tool_unknown", sprintf("no tool %s is registered", [_tool_name])) if not _tool

deny contains _reason("tool_mismatch", sprintf("the %s of %s is not the registered one", [field, _tool_name])) if {
	some field in ["kind", "verb", "risk"]
	not _tool[field] == input.tool[field]
}

deny contains _reason("actor_malformed", "a person carries the name of an agent") if {
	input.actor.kind == "user"
	input.actor.agent != ""
}

deny contains _reason("agent_tool", sprintf("agent %s may not use %s", [input.actor.agent, _tool_name])) if {
	input.actor.kind == "agent"
	not _tool_name in _tables.agents[input.actor.agent].tools
}

deny contains _reason("agent_unbound", sprintf("the agent's token names no %s", [field])) if {
	input.actor.kind == "agent"
	some field in ["run_id", "case_id"]
	input.actor[field] == ""
}

deny contains _reason("scope_missing", sprintf("the token's scopes do not name %s", [input.tool.name])) if {
	not _in_scope
}

deny contains _reason("role_missing", sprintf("no role of the caller may use %s", [_tool_name])) if {
	count(_roles) == 0
}

deny contains _reason("case_unnamed", "the token names no case") if {
	not _tool.case_bound == false
	input.actor.case_id == ""
}
