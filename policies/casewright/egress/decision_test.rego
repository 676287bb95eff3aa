package casewright.egress_test

import rego.v1

import data.casewright.egress

_request := {
	"schema": "egress/v1",
	"tenant": "harborline",
	"task": "intake.classify",
	"data": {"classification": "confidential", "sealed": false, "redacted": true},
	"model": {"provider": "anthropic", "name": "claude-sonnet-5", "region": "us"},
}

_route := {
	"provider": "anthropic", "models": ["claude-sonnet-5"], "regions": ["us"], "tenants": ["harborline"],
	"plain": ["public"], "redacted": ["internal", "confidential"],
}

_with(change) := object.union(_request, change)

_codes(request, routes) := codes if {
	decision := egress.decision with input as request with data.data.egress.routes as routes
	codes := [decision.allow, sort([reason.code | some reason in decision.reasons])]
}

test_what_a_route_names_may_leave[name] if {
	some name, row in {
		"confidential, redacted": [{}, "egress_redacted"],
		"internal, redacted": [{"data": {"classification": "internal"}}, "egress_redacted"],
		"public, as it is": [{"data": {"classification": "public", "redacted": false}}, "egress_plain"],
		"public, redacted all the same": [{"data": {"classification": "public"}}, "egress_plain"],
	}
	_codes(_with(row[0]), [_route]) == [true, [row[1]]]
}

test_a_decision_is_a_whole_document if {
	allowed := egress.decision with input as _request with data.data.egress.routes as [_route]
	allowed == {
		"schema": "egress_decision/v1", "allow": true,
		"reasons": [{"code": "egress_redacted", "message": "redacted confidential data may go there"}],
	}
	malformed := egress.decision with input as {}
	malformed == {
		"schema": "egress_decision/v1", "allow": false,
		"reasons": [{"code": "egress_malformed", "message": "the input is not a whole egress/v1 document"}],
	}
}

test_what_no_route_names_stays[name] if {
	some name, change in {
		"not redacted": {"data": {"redacted": false}},
		"another provider": {"model": {"provider": "elsewhere"}},
		"another model": {"model": {"name": "claude-haiku-5"}},
		"another region": {"model": {"region": "eu"}},
		"another tenant": {"tenant": "millbrook"},
		"a class that has to be redacted": {"data": {"classification": "internal", "redacted": false}},
	}
	_codes(_with(change), [_route]) == [false, ["egress_no_route"]]
}

test_a_route_that_allows_everything_lets_nothing_sealed_or_restricted_out[name] if {
	everything := object.union(_route, {
		"provider": "*", "models": ["*"], "tenants": ["*"], "plain": ["public", "internal", "confidential", "restricted"],
	})
	some name, row in {
		"sealed": [{"data": {"sealed": true}}, ["egress_sealed"]],
		"restricted": [{"data": {"classification": "restricted"}}, ["egress_restricted"]],
		"both": [{"data": {"classification": "restricted", "sealed": true}}, ["egress_restricted", "egress_sealed"]],
		"no region": [{"model": {"region": ""}}, ["egress_no_region"]],
	}
	_codes(_with(row[0]), [everything]) == [false, row[1]]
}

test_a_star_stands_for_every_provider_model_and_tenant if {
	everything := object.union(_route, {"provider": "*", "models": ["*"], "tenants": ["*"]})
	elsewhere := _with({"tenant": "other", "model": {"provider": "langchain", "name": "x"}})
	_codes(elsewhere, [everything]) == [true, ["egress_redacted"]]
	_codes(elsewhere, [object.union(everything, {"regions": ["*"]})]) == [false, ["egress_no_route"]]
}

test_without_routes_nothing_leaves if {
	_codes(_request, []) == [false, ["egress_no_route"]]
}

test_a_request_that_is_not_whole_stays[name] if {
	some name, request in {
		"empty": {},
		"another schema": _with({"schema": "egress/v2"}),
		"more than asked": _with({"extra": 1}),
		"more of the data": _with({"data": {"extra": 1}}),
		"more of the model": _with({"model": {"extra": 1}}),
		"no class": _with({"data": {"classification": ""}}),
		"another class": _with({"data": {"classification": "secret"}}),
		"sealed is no word": _with({"data": {"sealed": "false"}}),
		"redacted is no word": _with({"data": {"redacted": "true"}}),
		"no tenant": _with({"tenant": ""}),
		"no task": _with({"task": ""}),
		"no provider": _with({"model": {"provider": ""}}),
		"no model": _with({"model": {"name": ""}}),
		"the model is no text": _with({"model": {"name": 1}}),
		"the region is no text": _with({"model": {"region": 1}}),
	}
	_codes(request, [_route]) == [false, ["egress_malformed"]]
}
