# The shape of an input.
# input/v1 is closed and total: a path that is missing, odd or unknown denies. This names them one
# by one, for people; decisions ask `_sound`, which says the same in one look.

package casewright.access

import future.keywords.not
import rego.v1

# METADATA
# title: What is wrong with the input
# description: Names of paths that are missing, of the wrong type or unknown; nothing here is the same as `_sound`.
problems contains section if {
	some section, types in _types
	not _types_of(_given[section]) == types
}

_types_of(section) := {field: type_name(value) | some field, value in section} if is_object(section)

problems contains "schema" if not input.schema == "input/v1"

problems contains "mode" if not input.mode in {"list", "call"}

problems contains "principal.clearance" if not _rank[input.principal.clearance]

problems contains "resource.classification" if not _rank[input.resource.classification]

problems contains "actor.kind" if not input.actor.kind in {"user", "agent"}

problems contains "tool.verb" if not input.tool.verb in {"list", "read", "search", "check", "write", "execute"}

problems contains "resource.kind" if not input.resource.kind in {"none", "corpus", "case", "draft", "action"}

problems contains "principal.id" if not input.principal.id != ""

problems contains "principal.tenant" if not input.principal.tenant != ""

# In one list, since almost all of them are short or empty. What is no list is a problem already, and is left alone
# here: going through it is an error on one engine and nothing on the other.
_lists := [
	{"path": "principal.roles", "list": input.principal.roles},
	{"path": "principal.labels", "list": input.principal.labels},
	{"path": "actor.scopes", "list": input.actor.scopes},
	{"path": "resource.assigned_to", "list": input.resource.assigned_to},
	{"path": "resource.conflicts", "list": input.resource.conflicts},
	{"path": "context.controls.switches.tools", "list": input.context.controls.switches.tools},
	{"path": "context.controls.switches.agents", "list": input.context.controls.switches.agents},
	{"path": "context.controls.switches.models", "list": input.context.controls.switches.models},
	{"path": "context.controls.switches.tenants", "list": input.context.controls.switches.tenants},
]

problems contains row.path if {
	some row in _lists
	is_array(row.list)
	some entry in row.list
	not is_string(entry)
}

problems contains "resource.amount_minor" if not _is_whole(input.resource.amount_minor)

problems contains path if {
	some path, number in {
		"principal.authenticated_at": input.principal.authenticated_at,
		"context.now_ns": input.context.now_ns,
		"context.step": input.context.step,
		"context.budgets.tool_calls": input.context.budgets.tool_calls,
		"context.budgets.steps": input.context.budgets.steps,
		"context.controls.version": input.context.controls.version,
	}
	not _is_count(number)
}

problems contains "context.controls.limits" if {
	is_object(input.context.controls.limits)
	some kind, limits in input.context.controls.limits
	not _are_limits(kind, limits)
}

_are_limits(kind, limits) if {
	kind in {"agent", "user"}
	is_object(limits)
	every name, limit in limits {
		name in {"tool_calls", "steps"}
		_is_count(limit)
	}
}

problems contains "arguments" if {
	is_object(input.arguments)
	some value in input.arguments
	not _is_flat(value)
}

_is_flat(value) if type_name(value) in {"string", "boolean"}

_is_flat(value) if _is_whole(value)

_is_flat(value) if _types_of(value) == {"sha256": "string"}

problems contains "provenance" if not _names(input.provenance) == _names(input.arguments)

problems contains "provenance" if {
	is_object(input.provenance)
	some origin in input.provenance
	not origin in {"caller", "case", "model", "untrusted"}
}

_names(map) := {name | some name, _ in map} if is_object(map)

_is_whole(number) if {
	is_number(number)
	floor(number) == number
}

_is_count(number) if {
	_is_whole(number)
	number >= 0
}
