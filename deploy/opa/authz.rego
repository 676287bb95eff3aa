# METADATA
# title: Who may ask this OPA server, and what
# description: >-
#   Only the rules that Casewright asks for, and only with its token. Policies and data come from the
#   signed bundle alone: nothing else can be read, and nothing can be written.
package system.authz

import rego.v1

# METADATA
# description: Whether OPA serves a request at all
default allow := false

allow if {
	input.method == "POST"
	concat("/", input.path) in _answered
	object.keys(object.get(input, "params", {})) - {"provenance"} == set()
	_token_is_good
}

allow if {
	input.method == "GET"
	input.path == ["metrics"]
	_token_is_good
}

# Whether it is up and has its bundle: for load balancers, which hold no token.
allow if {
	input.method == "GET"
	input.path == ["health"]
}

_token_is_good if crypto.sha256(input.identity) == opa.runtime().env.CASEWRIGHT_OPA_TOKEN_SHA256

_answered := {
	"v1/data/casewright/access/decision",
	"v1/data/casewright/access/allow",
	"v1/data/casewright/access/deny",
	"v1/data/casewright/access/problems",
	"v1/data/casewright/evidence/report",
	"v1/data/casewright/parameters/rules",
	"v1/data/casewright/outcome/proposal",
}
