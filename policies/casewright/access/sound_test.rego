package casewright.access_test

import future.keywords.not
import rego.v1

_whole(doc) if {
	_problems(doc) == set()
	not _malformed(doc)
}

_odd_document(doc) if {
	count(_problems(doc)) > 0
	_malformed(doc)
}

_put(section, content) := object.union(object.remove(_base, [section]), {section: content})

_put_field(section, field, value) := _put(section, object.union(object.remove(_base[section], [field]), {field: value}))

_put_control(field, value) := _put_field(
	"context", "controls",
	object.union(object.remove(_base.context.controls, [field]), {field: value}),
)

_put_switch(field, value) := _put_control(
	"switches",
	object.union(object.remove(_base.context.controls.switches, [field]), {field: value}),
)

# One of each type, on both sides of every other in the order of values.
_values := [null, false, -7, 7, "", "x", [], ["x"], {}, {"x": 1}]

test_a_field_of_another_type_is_odd if {
	wrong := [doc |
		some section in ["principal", "actor", "tool", "resource", "context"]
		some field, value in _base[section]
		some other in _values
		type_name(other) != type_name(value)
		doc := _put_field(section, field, other)
	]
	count(wrong) > 250
	every doc in wrong { _odd_document(doc) }
}

test_a_section_of_another_type_is_odd if {
	wrong := [doc |
		some section, content in _base
		some other in _values
		type_name(other) != type_name(content)
		doc := _put(section, other)
	]
	count(wrong) > 70
	every doc in wrong { _odd_document(doc) }
}

test_a_control_of_another_type_is_odd if {
	wrong := [doc |
		some field, value in _base.context.controls
		some other in _values
		type_name(other) != type_name(value)
		doc := _put_control(field, other)
	]
	switches := [doc |
		some field, value in _base.context.controls.switches
		some other in _values
		type_name(other) != type_name(value)
		doc := _put_switch(field, other)
	]
	count(wrong) + count(switches) > 50
	every doc in array.concat(wrong, switches) { _odd_document(doc) }
}

test_a_count_below_zero_is_odd if {
	every field in ["now_ns", "step"] { _odd_document(_put_field("context", field, -1)) }
	every field in ["tool_calls", "steps"] {
		budgets := object.union(_base.context.budgets, {field: -1})
		_odd_document(_put_field("context", "budgets", budgets))
	}
	_odd_document(_put_control("version", -1))
	_odd_document(_put_field("principal", "authenticated_at", -1))
	_whole(_put_field("resource", "amount_minor", -1))
}

test_every_known_word_is_whole if {
	every mode in ["list", "call"] { _whole(_put("mode", mode)) }
	every kind in ["user", "agent"] { _whole(_put_field("actor", "kind", kind)) }
	every verb in ["list", "read", "search", "check", "write", "execute"] { _whole(_put_field("tool", "verb", verb)) }
	every kind in ["none", "corpus", "case", "draft", "action"] { _whole(_put_field("resource", "kind", kind)) }
	every level in ["public", "internal", "confidential", "restricted"] {
		_whole(_put_field("principal", "clearance", level))
		_whole(_put_field("resource", "classification", level))
	}
	every origin in ["caller", "case", "model", "untrusted"] {
		_whole(object.union(_base, {"arguments": {"a": 1}, "provenance": {"a": origin}}))
	}
}

test_live_limits_and_flat_arguments_are_whole if {
	every kind in ["agent", "user"] {
		every name in ["tool_calls", "steps"] { _whole(_put_control("limits", {kind: {name: 0}})) }
	}
	every value in [-1, true, "x", "", {"sha256": ""}] {
		_whole(object.union(_base, {"arguments": {"a": value}, "provenance": {"a": "caller"}}))
	}
}
