package casewright.access_test

import rego.v1

_releasing(name, verb, risk, roles) := object.union(_base, {
	"principal": object.union(_base.principal, {"id": "selma", "roles": roles}),
	"actor": object.union(_base.actor, {"case_id": ""}),
	"tool": object.union(_base.tool, {"server": "admin", "name": name, "verb": verb, "risk": risk}),
	"resource": object.union(_base.resource, {"kind": "none", "id": ""}),
})

_release_deeds := {
	"create_release": {"verb": "write", "risk": "high", "roles": {"policy_author", "supervisor"}},
	"override_release": {"verb": "write", "risk": "high", "roles": {"supervisor"}},
	"switch_release": {"verb": "write", "risk": "high", "roles": {"supervisor"}},
	"read_release": {"verb": "read", "risk": "low", "roles": {"policy_author", "supervisor", "auditor"}},
}

test_only_these_roles_do_this_with_releases if {
	every name, deed in _release_deeds {
		every role in ["reviewer", "supervisor", "auditor", "policy_author", "service"] {
			expected := role in deed.roles
			_decide(_releasing(name, deed.verb, deed.risk, [role])).allow == expected
		}
	}
}

test_no_agent_touches_a_release if {
	every name, deed in _release_deeds {
		asked := _releasing(name, deed.verb, deed.risk, ["supervisor"])
		agent := object.union(asked, {"actor": object.union(asked.actor, {"kind": "agent", "agent": "executor"})})
		_decide(agent).allow == false
	}
}

test_releases_are_switched_off_with_everything if {
	every name, deed in _release_deeds {
		asked := _releasing(name, deed.verb, deed.risk, ["supervisor"])
		_decide(_with(asked, _controls({"everything": true}))).allow == false
	}
}
