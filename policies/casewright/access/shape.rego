# The shape of an input.
# input/v1 is closed and total: a path that is missing, odd or unknown denies.

package casewright.access

import future.keywords.not
import rego.v1

# METADATA
# title: What is wrong with the input
# description: Names of paths that are missing, of the wrong type or unknown; anything here is a deny.
problems contains "input" if not _given_top == _top_types

_given_top := {field: type_name(value) | some field, value in input} if is_object(input)

problems contains section if {
	some section, types in _types
	not _given[section] == types
}

_given[section] := {field: type_name(value) | some field, value in input[section]} if {
	some section, _ in _types
	is_object(input[section])
}

problems contains "schema" if not input.schema == "input/v1"

problems contains "mode" if not input.mode in {"list", "call"}

problems contains "principal.clearance" if not _rank[input.principal.clearance]

problems contains "resource.classification" if not _rank[input.resource.classification]

problems contains "actor.kind" if not input.actor.kind in {"user", "agent"}

problems contains "tool.verb" if not input.tool.verb in {"list", "read", "search", "check", "write", "execute"}

problems contains "resource.kind" if not input.resource.kind in {"none", "corpus", "case", "draft", "action"}

problems contains "principal.id" if not input.principal.id != ""

problems contains "principal.tenant" if not input.principal.tenant != ""

problems contains path if {
	some path, list in {
		"principal.roles": input.principal.roles,
		"principal.labels": input.principal.labels,
		"actor.scopes": input.actor.scopes,
		"resource.assigned_to": input.resource.assigned_to,
		"resource.conflicts": input.resource.conflicts,
	}
	is_array(list)
	some entry in list
	not is_string(entry)
}

problems contains path if {
	some path, number in {
		"principal.authenticated_at": input.principal.authenticated_at,
		"resource.amount_minor": input.resource.amount_minor,
		"context.now_ns": input.context.now_ns,
		"context.step": input.context.step,
		"context.tool_calls": input.context.tool_calls,
	}
	is_number(number)
	floor(number) != number
}

problems contains "provenance" if {
	is_object(input.provenance)
	some origin in input.provenance
	not origin in {"caller", "case", "model", "untrusted"}
}
