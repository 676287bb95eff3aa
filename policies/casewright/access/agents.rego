# What agents may do.
# Each agent has its own tools, and of these only some in each step of a review.

package casewright.access

import future.keywords.not
import rego.v1

# METADATA
# title: Not the agent's tool
# description: The policy data does not name the tool among those of the agent.
deny contains _reason("agent_tool", sprintf("agent %s may not use %s", [input.actor.agent, _tool_name])) if {
	input.actor.kind == "agent"
	not _tool_name in _tables.agents[input.actor.agent].tools
}

# METADATA
# title: Not at this step
# description: The agent may use the tool, but not in the step of the review that it acts in.
deny contains _reason("agent_step", sprintf("agent %s may not use %s at step %s", [
	input.actor.agent,
	_tool_name,
	input.actor.step,
])) if {
	input.actor.kind == "agent"
	not _tool_name in _tables.agents[input.actor.agent].steps[input.actor.step]
}

# METADATA
# title: An agent without a run or a case
# description: An agent's token names the one run and the one case that it acts in.
deny contains _reason("agent_unbound", sprintf("the agent's token names no %s", [field])) if {
	input.actor.kind == "agent"
	some field in ["run_id", "case_id"]
	input.actor[field] == ""
}

# METADATA
# title: Of another run
# description: An agent touches only drafts and actions of its own run.
deny contains _reason("run_mismatch", "this belongs to another run than the agent's") if {
	_on_something
	input.actor.kind == "agent"
	input.resource.kind in {"draft", "action"}
	input.resource.run_id != input.actor.run_id
}
