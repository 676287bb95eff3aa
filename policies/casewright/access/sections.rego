# The paths of an input by the type of their values; `types.rego` has them by section.

package casewright.access

import rego.v1

_strings := [
	input.schema,
	input.mode,
	input.arguments_digest,
	input.principal.id,
	input.principal.tenant,
	input.principal.clearance,
	input.principal.authentication,
	input.actor.kind,
	input.actor.agent,
	input.actor.run_id,
	input.actor.case_id,
	input.actor.step,
	input.tool.server,
	input.tool.kind,
	input.tool.name,
	input.tool.verb,
	input.tool.risk,
	input.tool.definition_hash,
	input.resource.kind,
	input.resource.id,
	input.resource.tenant,
	input.resource.team,
	input.resource.classification,
	input.resource.state,
	input.resource.author,
	input.resource.action,
	input.resource.run_id,
	input.context.release,
]

_arrays := [
	input.principal.roles,
	input.principal.labels,
	input.actor.scopes,
	input.resource.assigned_to,
	input.resource.conflicts,
	input.context.controls.switches.tools,
	input.context.controls.switches.agents,
	input.context.controls.switches.models,
	input.context.controls.switches.tenants,
]

_numbers := [
	input.principal.authenticated_at,
	input.resource.amount_minor,
	input.context.now_ns,
	input.context.step,
	input.context.budgets.tool_calls,
	input.context.budgets.steps,
	input.context.controls.version,
]
