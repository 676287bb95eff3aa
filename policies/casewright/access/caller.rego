# What denies because of the caller.
# Tool, scope and role; known without the resource, so it also hides listing entries.

package casewright.access

import future.keywords.not
import rego.v1

# METADATA
# title: Unknown tool
# description: The policy data names no such tool on this server.
deny contains _reason("tool_unknown", sprintf("no tool %s is registered", [_tool_name])) if not _tool

# METADATA
# title: Another tool than the registered one
# description: Kind, verb or risk of the server's tool differ from what was reviewed.
deny contains _reason("tool_mismatch", sprintf("the %s of %s is not the registered one", [field, _tool_name])) if {
	some field in ["kind", "verb", "risk"]
	not _tool[field] == input.tool[field]
}

# METADATA
# title: A person that looks like an agent
# description: A person has neither the name nor the steps of an agent.
deny contains _reason("actor_malformed", sprintf("a person carries the %s of an agent", [field])) if {
	input.actor.kind == "user"
	some field in ["agent", "step"]
	input.actor[field] != ""
}

# METADATA
# title: Out of scope
# description: The token does not name the tool; only people may hold a token for all tools.
deny contains _reason("scope_missing", sprintf("the token's scopes do not name %s", [input.tool.name])) if {
	not _in_scope
}

# METADATA
# title: No role for the tool
# description: No role of the caller may use the tool at all.
deny contains _reason("role_missing", sprintf("no role of the caller may use %s", [_tool_name])) if {
	count(_roles) == 0
}

# METADATA
# title: No case in the token
# description: The tool acts on the case that the token names, and it names none.
deny contains _reason("case_unnamed", "the token names no case") if {
	not _tool.case_bound == false
	input.actor.case_id == ""
}
