package casewright.access_test

import rego.v1

_switched(switches, change) := decision if {
	decision := data.casewright.access.decision with input as object.union(_base, change)
		with data.data.access as object.union(data.data.access, {"switches": switches})
}

_switches := [
	{"switches": {"everything": true}, "change": {}},
	{"switches": {"everything": "false"}, "change": {}},
	{"switches": {"tools": ["get_case"]}, "change": {}},
	{"switches": {"tools": ["case-facts/get_case"]}, "change": {}},
	{"switches": {"tools": ["case-facts"]}, "change": {}},
	{"switches": {"tools": "none"}, "change": {}},
	{"switches": {"agents": {}}, "change": {}},
	{"switches": {"agents": ["intake"]}, "change": _agent("intake", _get_case)},
	{"switches": {"tenants": ["harborline"]}, "change": {}},
]

test_a_kill_switch_denies_at_once if {
	every row in _switches {
		_switched(row.switches, row.change).allow == false
		_switched(row.switches, row.change).reasons[0].code == "switched_off"
	}
}

test_a_kill_switch_leaves_others_alone if {
	_switched({"agents": ["intake"], "tools": ["list_cases"], "tenants": ["millbrook"]}, {}).allow == true
}

test_a_listing_does_not_depend_on_switches if {
	every row in _switches { _switched(row.switches, _all([row.change, {"mode": "list"}])).effect == "maybe" }
}

test_a_missing_switch_or_limit_denies if {
	every name in ["switches", "limits"] {
		decision := data.casewright.access.decision with input as _base
			with data.data.access as object.remove(data.data.access, [name])
		decision.allow == false
	}
}

_live(controls) := {"context": {"controls": controls}}

_live_switches := [
	{"switches": {"everything": true}, "change": {}},
	{"switches": {"tools": ["get_case"]}, "change": {}},
	{"switches": {"tools": ["case-facts/get_case"]}, "change": {}},
	{"switches": {"tools": ["case-facts"]}, "change": {}},
	{"switches": {"agents": ["intake"]}, "change": _agent("intake", _get_case)},
	{"switches": {"tenants": ["harborline"]}, "change": {}},
]

test_a_live_switch_denies_at_once if {
	every row in _live_switches {
		_denies(_all([row.change, _live({"switches": row.switches})]), "switched_off")
	}
}

test_a_live_switch_leaves_others_alone if {
	others := {"agents": ["intake"], "models": ["a/b"], "tools": ["list_cases"], "tenants": ["millbrook"]}
	_allows(_live({"switches": others}), "permit", "assigned")
}

_used(calls, steps) := {"context": {"budgets": {"tool_calls": calls, "steps": steps}}}

_limits := [
	# A person: 1000 by the reviewed data, at most 10000.
	{"live": {}, "agent": false, "last": _used(999, 999), "over": _used(1000, 0)},
	{"live": {}, "agent": false, "last": _used(999, 999), "over": _used(0, 1000)},
	{"live": {"user": {"tool_calls": 5}}, "agent": false, "last": _used(4, 999), "over": _used(5, 0)},
	{"live": {"user": {"steps": 5}}, "agent": false, "last": _used(999, 4), "over": _used(0, 5)},
	{"live": {"user": {"tool_calls": 5000}}, "agent": false, "last": _used(4999, 0), "over": _used(5000, 0)},
	{"live": {"user": {"tool_calls": 90000}}, "agent": false, "last": _used(9999, 0), "over": _used(10000, 0)},
	{"live": {"agent": {"tool_calls": 1}}, "agent": false, "last": _used(999, 0), "over": _used(1000, 0)},
	# An agent: 250, at most 1000.
	{"live": {}, "agent": true, "last": _used(249, 249), "over": _used(250, 0)},
	{"live": {"agent": {"steps": 9}}, "agent": true, "last": _used(249, 8), "over": _used(0, 9)},
	{"live": {"agent": {"steps": 90000}}, "agent": true, "last": _used(0, 999), "over": _used(0, 1000)},
]

test_live_limits_replace_reviewed_ones_up_to_the_ceilings if {
	every row in _limits {
		live := _live({"limits": row.live})
		who := {true: _agent("intake", _get_case), false: {}}[row.agent]
		_allows(_all([who, live, row.last]), "permit", "assigned")
		_denies(_all([who, live, row.over]), "budget_spent")
	}
}

test_a_limit_of_zero_stops_at_once if _denies(_live({"limits": {"user": {"tool_calls": 0}}}), "budget_spent")

test_a_limit_or_ceiling_that_is_no_number_denies if {
	odd := [
		{"limits": {"user": {"tool_calls": "1000"}}},
		{"limits": {"user": {"steps": null}}},
		{"limits": {"ceilings": {"user": {"tool_calls": "1000"}}}},
		{"limits": {"ceilings": {"user": {"steps": null}}}},
	]
	every change in odd {
		decision := data.casewright.access.decision with input as _base
			with data.data.access as object.union(_tables, change)
		decision.reasons[0].code == "budget_spent"
	}
}

test_a_budget_or_ceiling_that_is_missing_denies if {
	every path in ["limits/user", "limits/user/steps", "limits/ceilings", "limits/ceilings/user/tool_calls"] {
		decision := data.casewright.access.decision with input as _base
			with data.data.access as json.remove(_tables, [path])
		decision.reasons[0].code == "budget_spent"
	}
}
