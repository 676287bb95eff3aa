package casewright.access_test

import rego.v1

_read := {"arguments": {"amount": 1, "note": "x"}, "provenance": {"amount": "model", "note": "untrusted"}}

_said_by(origin) := {"arguments": {"amount": 1}, "provenance": {"amount": origin}}

test_untrusted_text_steers_a_consequence_only_through_an_approval if {
	_allows(_all([_execute, _agent("executor", _execute.tool), _read]), "require_approval", "assigned")
	_allows(_all([_execute, _read]), "require_approval", "assigned")
}

test_untrusted_text_may_ask_for_what_changes_nothing if _allows(_read, "permit", "assigned")

test_a_consequence_that_is_permitted_at_once_may_not_be_steered_by_untrusted_text if {
	_denies(_all([_vote, _read]), "untrusted_steers")
	_denies(_all([_vote, _said_by("untrusted")]), "untrusted_steers")
	every origin in ["caller", "case", "model"] { _allows(_all([_vote, _said_by(origin)]), "permit", "tenant_wide") }
}

_loosened(change, effect) := {reason.code | some reason in decision.reasons} if {
	decision := data.casewright.access.decision with input as object.union(_base, change)
		with data.casewright.access._effect as effect
}

test_it_holds_where_the_rule_of_effects_is_loosened if {
	every effect in ["permit", "maybe", "deny"] {
		_loosened(_all([_execute, _read]), effect) == {"untrusted_steers"}
		_loosened(_all([_execute, _said_by("model")]), effect) == {"assigned"}
	}
}

_with_tool(path, change) := {reason.code | some reason in decision.reasons} if {
	decision := data.casewright.access.decision with input as object.union(_base, change)
		with data.data.access as json.remove(_tables, [path])
}

test_a_tool_that_says_not_whether_it_has_consequences_has_them if {
	_with_tool("tools/case-facts/get_case/consequence", _read) == {"untrusted_steers"}
	_with_tool("tools/case-facts/get_case/risk", _said_by("model")) == {"tool_mismatch"}
}

test_an_execution_has_consequences_whatever_the_table_says if {
	tables := object.union(_tables, {"tools": {"drafting": {"execute_action": {"consequence": false}}}})
	decision := data.casewright.access.decision with input as object.union(_base, _all([_execute, _read]))
		with data.data.access as tables
		with data.casewright.access._effect as "permit"
	[reason.code | some reason in decision.reasons] == ["untrusted_steers"]
}

test_a_listing_knows_no_arguments if _allows(_all([_vote, _read, {"mode": "list"}]), "maybe", "could_be_allowed")
