# The shape of an input, in one look.
# What every decision asks first; `problems` in shape.rego finds the same one by one and names it.
# The order matters: what is counted or gone through is known to be there, with its type.

package casewright.access

import future.keywords.not
import rego.v1

# Types are compared by the least and the greatest value, since those of one type lie together in
# Rego's order of values. A path that is missing leaves its list without a value.
_sound if {
	is_string(min(_strings))
	is_string(max(_strings))
	is_array(min(_arrays))
	is_array(max(_arrays))
	is_number(min(_numbers))
	is_number(max(_numbers))
	is_boolean(input.resource.exists)
	is_boolean(input.resource.sealed)
	is_boolean(input.context.controls.switches.everything)
	is_object(input.context.controls.limits)
	is_object(input.arguments)
	is_object(input.provenance)
	_sizes == [10, 7, 6, 6, 14, 5, 2, 3, 5]
	_has_known_words
	_has_whole_numbers
	count([entry | some list in _arrays; some entry in list; not is_string(entry)]) == 0
	every kind, limits in input.context.controls.limits { _are_limits(kind, limits) }
	every value in input.arguments { _is_flat(value) }
	object.keys(input.provenance) == object.keys(input.arguments)
	count({origin | some origin in input.provenance} - {"caller", "case", "model", "untrusted"}) == 0
}

_has_known_words if {
	input.schema == "input/v1"
	input.mode in {"list", "call"}
	_rank[input.principal.clearance]
	_rank[input.resource.classification]
	input.actor.kind in {"user", "agent"}
	input.tool.verb in {"list", "read", "search", "check", "write", "execute"}
	input.resource.kind in {"none", "corpus", "case", "draft", "action"}
	input.principal.id != ""
	input.principal.tenant != ""
}

# The amount is the one number that may be below zero.
_has_whole_numbers if {
	count([number | some number in _numbers; floor(number) != number]) == 0
	input.principal.authenticated_at >= 0
	input.context.now_ns >= 0
	input.context.step >= 0
	input.context.budgets.tool_calls >= 0
	input.context.budgets.steps >= 0
	input.context.controls.version >= 0
}

_sizes := [
	count(input),
	count(input.principal),
	count(input.actor),
	count(input.tool),
	count(input.resource),
	count(input.context),
	count(input.context.budgets),
	count(input.context.controls),
	count(input.context.controls.switches),
]
