package casewright.access_test

import rego.v1

_supervisor := object.union(_base.principal, {"id": "selma", "roles": ["supervisor"]})

_setting := object.union(_base, {
	"principal": _supervisor,
	"actor": object.union(_base.actor, {"case_id": ""}),
	"tool": object.union(_base.tool, {"server": "admin", "name": "set_policy_data", "verb": "write", "risk": "high"}),
	"resource": object.union(_base.resource, {"kind": "none", "id": ""}),
})

_controls(switches) := {"version": 1, "limits": {}, "switches": object.union(
	{"everything": false, "tools": [], "agents": [], "models": [], "tenants": []},
	switches,
)}

_pulled := [
	{"everything": true},
	{"tools": ["admin"]},
	{"tools": ["admin/set_policy_data"]},
	{"tenants": [_base.principal.tenant]},
]

_with(document, controls) := object.union(document, {"context": object.union(document.context, {"controls": controls})})

test_switches_can_be_put_back_whatever_is_off if {
	every switches in _pulled {
		_decide(_with(_setting, _controls(switches))).effect == "permit"
	}
}

test_controls_can_be_looked_at_whatever_is_off if {
	every role in ["supervisor", "policy_author", "auditor"] {
		every switches in array.concat(_pulled, [{"tools": ["admin/read_policy_data"]}]) {
			_decide(_with(_reading([role]), _controls(switches))).effect == "permit"
		}
	}
}

test_reviewers_and_services_do_not_read_policy_data if {
	every role in ["reviewer", "service"] {
		_decide(_reading([role])).allow == false
	}
}

_reading(roles) := object.union(_setting, {
	"principal": object.union(_supervisor, {"roles": roles}),
	"tool": object.union(_setting.tool, {"name": "read_policy_data", "verb": "read", "risk": "low"}),
})

test_every_other_command_is_off_with_its_switch if {
	every switches in _pulled {
		verify := object.union(_setting, {"tool": object.union(_setting.tool, {
			"name": "verify_audit",
			"verb": "read",
			"risk": "low",
		})})
		some reason in _decide(_with(verify, _controls(object.union(switches, _named(switches))))).reasons
		reason.code == "switched_off"
	}
}

# The switch on this one tool, moved to the other command.
_named(switches) := {"tools": ["admin/verify_audit"]} if {
	switches.tools == ["admin/set_policy_data"]
} else := {}

test_only_supervisors_and_policy_authors_set_policy_data if {
	every role in ["reviewer", "auditor", "service"] {
		other := object.union(_setting, {"principal": object.union(_supervisor, {"roles": [role]})})
		_decide(other).allow == false
	}
	author := object.union(_setting, {"principal": object.union(_supervisor, {"roles": ["policy_author"]})})
	_decide(author).effect == "permit"
}
