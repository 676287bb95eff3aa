package casewright.access_test

import rego.v1

# The tools of the review server ask the same deeds as the API and the command line, on the case that they find; what
# is decided on the tool itself is who may use it at all.
_deeds_of := {
	"start_review": "start_review",
	"list_reviews": "read_run",
	"get_review": "read_run",
	"answer_question": "answer_question",
	"list_approvals": "read_run",
	"get_approval": "read_run",
	"decide_approval": "vote_approval",
	"explain_review": "read_run",
	"ask_question": "ask",
	"get_answer": "ask",
}

_on_reviews(name) := {
	"tool": {"server": "review", "name": name, "verb": tool.verb, "risk": tool.risk},
	"resource": {"kind": "none", "id": "", "assigned_to": []},
	"actor": {"case_id": ""},
} if {
	tool := _tables.tools.review[name]
}

test_every_tool_for_reviews_is_open_to_the_roles_of_its_deed_and_to_no_other if {
	object.keys(_tables.tools.review) == object.keys(_deeds_of)
	every name, deed in _deeds_of {
		tool := _tables.tools.review[name]
		asked := _tables.tools.admin[deed]
		{role | some role in tool.roles} == {role | some role in asked.roles}
		tool.risk == asked.risk
		tool.consequence == asked.consequence
	}
}

test_a_tool_for_reviews_needs_no_case_in_the_token if {
	every name, _ in _deeds_of { _allows(_on_reviews(name), "permit", "open_to_role") }
	every name in object.keys(_deeds_of) - {"ask_question", "get_answer"} {
		_denies(_all([_on_reviews(name), {"principal": {"roles": ["policy_author"]}}]), "role_missing")
	}
}

test_no_agent_starts_reads_answers_or_decides_reviews if {
	every name, _ in _deeds_of {
		tool := _on_reviews(name).tool
		every agent in object.keys(_tables.agents) { _denies(_agent(agent, tool), "agent_tool") }
	}
}

test_an_auditor_reads_reviews_and_is_marked_as_a_reader if {
	auditor := {"principal": {"id": "avery", "roles": ["auditor"]}}
	every name in ["list_reviews", "get_review", "list_approvals", "get_approval", "explain_review"] {
		_allows(_all([_on_reviews(name), auditor]), "permit", "open_to_role")
		count(_obliged(_all([_on_reviews(name), auditor]), "watermark")) == 1
	}
	every name in ["start_review", "answer_question", "decide_approval"] {
		_denies(_all([_on_reviews(name), auditor]), "role_missing")
	}
}

test_a_weak_sign_in_decides_nothing_over_mcp_either if {
	signed_in := {"principal": {"id": "selma", "roles": ["supervisor"], "authentication": "password"}}
	_denies(_all([_on_reviews("decide_approval"), signed_in]), "authentication_weak")
	_allows(_all([_on_reviews("get_approval"), signed_in]), "permit", "open_to_role")
}

test_a_token_for_one_case_votes_on_no_other if {
	_allows(_vote, "permit", "tenant_wide")
	_allows(_all([_vote, {"actor": {"case_id": "HL-1"}}]), "permit", "tenant_wide")
	_denies(_all([_vote, {"actor": {"case_id": "HL-2"}}]), "case_mismatch")
}
