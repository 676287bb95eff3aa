# METADATA
# title: Access decisions
# description: >-
#   Who may call which tool on what. Denies by default; one deny rule wins over every allow rule;
#   every rule that speaks has a code.
package casewright.access

import rego.v1

# METADATA
# title: The decision on one call or one listing entry
# description: >-
#   decision/v1 without the revision, which the engine adds. The default is the answer to an input
#   that is not a whole input/v1 document, which is what '_sound' says; 'problems' then names the
#   paths.
default decision := {
	"schema": "decision/v1",
	"allow": false,
	"effect": "deny",
	"reasons": [{"code": "input_malformed", "message": "the input is not a whole input/v1 document"}],
	"obligations": [],
	"filters": {"tenant": "", "labels": [], "sealed": false},
	"ttl_seconds": 0,
	"package": "casewright.access",
}

decision := _denial(deny) if {
	_sound
	count(deny) > 0
} else := _denial({_reason("no_rule_allows", "no rule allows this call")}) if {
	_sound
	count(allow) == 0
} else := _document(_effect, allow, _obligations, _filters) if {
	_sound
}

_denial(reasons) := _document("deny", reasons, set(), {"tenant": "", "labels": [], "sealed": false})

_document(effect, reasons, obligations, filters) := {
	"schema": "decision/v1",
	"allow": effect in {"permit", "require_approval", "maybe"},
	"effect": effect,
	"reasons": [reason | some reason in reasons],
	"obligations": [obligation | some obligation in obligations],
	"filters": filters,
	"ttl_seconds": 0,
	"package": "casewright.access",
}

_reason(code, message) := {"code": code, "message": message}

# Every branch names its condition, so that a new verb or mode has no effect and is denied.
_effect := "require_approval" if {
	input.mode == "call"
	input.tool.verb == "execute"
} else := "permit" if {
	input.mode == "call"
} else := "permit" if {
	input.mode == "list"
	_tool.resource == "none"
} else := "permit" if {
	input.mode == "list"
	_tool.resource == "corpus"
	input.tool.verb in {"list", "search"}
} else := "maybe" if {
	input.mode == "list"
}

_filters := {
	"tenant": input.principal.tenant,
	"labels": input.principal.labels,
	"sealed": count(_unsealing) > 0,
}
