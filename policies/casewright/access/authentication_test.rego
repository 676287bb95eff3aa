package casewright.access_test

import rego.v1

_day := 86400

_now := 1800000000

# Signed in `age` seconds ago.
_signed_in(method, age) := {
	"principal": {"authentication": method, "authenticated_at": _now - age},
	"context": {"now_ns": _now * 1000000000},
}

_by_agent := _agent("executor", _execute.tool)

_sign_ins := [
	{"change": _execute, "method": "mfa", "age": 0, "codes": {"assigned"}},
	{"change": _execute, "method": "mfa", "age": 28800, "codes": {"assigned"}},
	{"change": _execute, "method": "mfa", "age": 28801, "codes": {"authentication_old"}},
	{"change": _execute, "method": "mfa", "age": -60, "codes": {"assigned"}},
	{"change": _execute, "method": "mfa", "age": -61, "codes": {"authentication_old"}},
	{"change": _execute, "method": "password", "age": 0, "codes": {"authentication_weak"}},
	{"change": _execute, "method": "service", "age": 0, "codes": {"authentication_weak"}},
	{"change": _execute, "method": "", "age": 0, "codes": {"authentication_weak"}},
	{"change": _execute, "method": "password", "age": _day, "codes": {"authentication_weak", "authentication_old"}},
	{"change": _execute, "method": "local", "age": 9 * _day, "codes": {"assigned"}},
	{"change": _vote, "method": "mfa", "age": 28800, "codes": {"tenant_wide"}},
	{"change": _vote, "method": "mfa", "age": 28801, "codes": {"authentication_old"}},
	{"change": _vote, "method": "password", "age": 0, "codes": {"authentication_weak"}},
	{"change": _all([_execute, _by_agent]), "method": "password", "age": 14 * _day, "codes": {"assigned"}},
	{"change": _all([_execute, _by_agent]), "method": "mfa", "age": 14 * _day, "codes": {"assigned"}},
	{"change": _all([_execute, _by_agent]), "method": "mfa", "age": (14 * _day) + 1, "codes": {"authentication_old"}},
	{"change": _all([_execute, _by_agent]), "method": "service", "age": 0, "codes": {"authentication_weak"}},
	{"change": {}, "method": "password", "age": 900 * _day, "codes": {"assigned"}},
]

test_consequences_ask_for_a_strong_and_recent_sign_in if {
	every row in _sign_ins { _codes(_all([row.change, _signed_in(row.method, row.age)])) == row.codes }
}

test_a_listing_asks_for_no_sign_in if {
	_allows(_all([_execute, _signed_in("password", 0), {"mode": "list"}]), "maybe", "could_be_allowed")
}

_without_local(change) := {reason.code | some reason in decision.reasons} if {
	decision := data.casewright.access.decision with input as object.union(_base, change)
		with data.data.access as object.union(_tables, {"authentication": {"local_allowed": false}})
}

test_local_identities_may_nothing_where_the_data_does_not_allow_them if {
	_without_local({}) == {"authentication_local"}
	_without_local({"mode": "list"}) == {"authentication_local"}
	_without_local(_all([_execute, _signed_in("mfa", 0)])) == {"assigned"}
}

_removed(path, change) := {reason.code | some reason in decision.reasons} if {
	decision := data.casewright.access.decision with input as object.union(_base, change)
		with data.data.access as json.remove(_tables, [path])
}

test_what_the_data_does_not_say_is_not_enough if {
	_removed("authentication/local_allowed", {}) == {"authentication_local"}
	mfa := _all([_execute, _signed_in("mfa", 0)])
	_removed("authentication/consequences", mfa) == {"authentication_weak"}
	_removed("authentication/consequences/0/methods", mfa) == {"authentication_weak"}
	_removed("authentication/consequences/0/max_age_seconds", mfa) == {"authentication_old"}
	_removed("authentication/consequences/0/roles", mfa) == {"authentication_weak"}
}

test_every_rule_for_a_role_must_be_met if {
	strict := {"actor": "user", "roles": ["supervisor"], "methods": ["mfa"], "max_age_seconds": 60}
	rows := array.concat(_tables.authentication.consequences, [strict])
	tables := object.union(_tables, {"authentication": {"consequences": rows}})
	aged := object.union(_base, _all([_vote, _signed_in("mfa", 61)]))
	decision := data.casewright.access.decision with input as aged with data.data.access as tables
	[reason.code | some reason in decision.reasons] == ["authentication_old"]
	reviewer := object.union(_base, _all([_execute, _signed_in("mfa", 61)]))
	other := data.casewright.access.decision with input as reviewer with data.data.access as tables
	other.allow == true
}
