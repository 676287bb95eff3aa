# METADATA
# title: What may leave to a model
# description: >-
#   Whether data of a class may be sent to a model in a region. Denies by default; sealed and
#   restricted data never leave, whatever the routes say.
package casewright.egress

import future.keywords.not
import rego.v1

# METADATA
# title: The decision on one request to a model
# description: >-
#   egress_decision/v1. The default is the answer to an input that is not a whole egress/v1
#   document, which is what '_sound' says.
default decision := {
	"schema": "egress_decision/v1",
	"allow": false,
	"reasons": [{"code": "egress_malformed", "message": "the input is not a whole egress/v1 document"}],
}

decision := _document(false, deny) if {
	_sound
	count(deny) > 0
} else := _document(false, {_reason("egress_no_route", "no route lets this class of data go to this model and region")}) if {
	_sound
	count(allow) == 0
} else := _document(true, allow) if {
	_sound
}

# METADATA
# title: Sealed
# description: The request carries something that is sealed or withheld.
deny contains _reason("egress_sealed", "sealed data never leaves") if not input.data.sealed == false

# METADATA
# title: Restricted
# description: The request carries restricted data.
deny contains _reason("egress_restricted", "restricted data never leaves") if {
	input.data.classification == "restricted"
}

# METADATA
# title: Region unknown
# description: Nobody has said where the model works.
deny contains _reason("egress_no_region", "it is not known in which region the model works; models.toml names regions") if {
	input.model.region == ""
}

# METADATA
# title: Routed after redaction
# description: A route lets this class go to this model and region once personal values are taken out.
allow contains _reason("egress_redacted", sprintf("redacted %s data may go there", [input.data.classification])) if {
	some route in _routes
	input.data.redacted == true
	input.data.classification in route.redacted
}

# METADATA
# title: Routed as it is
# description: A route lets this class go to this model and region with personal values in it.
allow contains _reason("egress_plain", sprintf("%s data may go there as it is", [input.data.classification])) if {
	some route in _routes
	input.data.classification in route.plain
}

_routes contains route if {
	some route in data.data.egress.routes
	_covers([route.provider], input.model.provider)
	_covers(route.models, input.model.name)
	_covers(route.tenants, input.tenant)
	input.model.region in route.regions
}

# A star stands for every name; a region has none, so each one is written out.
_covers(names, name) if name in names

_covers(names, _) if "*" in names

_sound if {
	input.schema == "egress/v1"
	[count(input), count(input.data), count(input.model)] == [5, 3, 3]
	input.data.classification in {"public", "internal", "confidential", "restricted"}
	is_boolean(input.data.sealed)
	is_boolean(input.data.redacted)
	every name in [input.tenant, input.task, input.model.provider, input.model.name] { _is_name(name) }
	is_string(input.model.region)
}

_is_name(name) if {
	is_string(name)
	name != ""
}

_document(allowed, reasons) := {
	"schema": "egress_decision/v1",
	"allow": allowed,
	"reasons": [reason | some reason in reasons],
}

_reason(code, message) := {"code": code, "message": message}
