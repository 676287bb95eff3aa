package casewright.access_test

import rego.v1

test_every_part_of_an_input_has_a_treatment_for_its_record if {
	every part, _ in _base { _tables.recording[part] in {"keep", "redact", "encrypt"} }
	every path, treatment in _tables.recording {
		treatment in {"keep", "redact", "encrypt"}
		_base[split(path, ".")[0]]
	}
}

test_no_name_of_a_person_is_recorded_as_it_is if {
	named := ["principal.id", "resource.assigned_to", "resource.conflicts", "resource.author", "arguments"]
	every path in named { _tables.recording[path] != "keep" }
}

test_every_tool_says_whether_it_has_consequences if {
	every tools in _tables.tools {
		every tool in tools { is_boolean(tool.consequence) }
	}
	every tools in _tables.tools {
		every tool in tools { tool.consequence == _is_consequential(tool) }
	}
}

# What executes, and the vote that lets it.
_is_consequential(tool) := tool.verb == "execute" if not tool.votes

_is_consequential(tool) if tool.votes

test_a_live_limit_can_be_as_high_as_the_reviewed_one if {
	every kind in ["agent", "user"] {
		every budget in ["tool_calls", "steps"] {
			_tables.limits[kind][budget] <= _tables.limits.ceilings[kind][budget]
		}
	}
}

test_every_approval_rule_is_one_that_an_obligation_can_carry if {
	every rows in _tables.approvals.actions {
		every row in rows {
			row.quorum in {1, 2, 3, 4, 5}
			row.ttl_seconds >= 60
			row.ttl_seconds <= 30 * 86400
			row.from_minor <= row.to_minor
			every role in row.roles { _tables.roles[role] }
		}
	}
}
