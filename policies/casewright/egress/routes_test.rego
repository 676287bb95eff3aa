package casewright.egress_test

import rego.v1

import data.casewright.egress

test_the_shipped_routes_let_redacted_data_go_to_the_configured_models[name] if {
	some name, row in {
		"public": ["public", {"provider": "anthropic", "name": "claude-sonnet-5", "region": "global"}],
		"internal": ["internal", {"provider": "anthropic", "name": "claude-haiku-5", "region": "us"}],
		"confidential": ["confidential", {"provider": "anthropic", "name": "claude-sonnet-5", "region": "eu"}],
		"on this machine": ["confidential", {"provider": "langchain", "name": "llama", "region": "local"}],
	}
	decision := egress.decision with input as _with({"data": {"classification": row[0]}, "model": row[1]})
	decision.allow
}

test_the_shipped_routes_keep_everything_else[name] if {
	some name, change in {
		"not redacted": {"data": {"classification": "public", "redacted": false}},
		"a chat model that is not on this machine": {"model": {"provider": "langchain", "region": "us"}},
		"a provider nobody named": {"model": {"provider": "elsewhere"}},
		"sealed": {"data": {"sealed": true}},
	}
	decision := egress.decision with input as _with(change)
	not decision.allow
}
