# What must be met before and after the tool runs.
# Approval, limit, redaction, watermark and audit; only of calls that are allowed.

package casewright.access

import future.keywords.not
import rego.v1

_obligations contains object.union(_approval, {"kind": "approval", "author_excluded": true}) if {
	_effect == "require_approval"
}

_obligations contains {"kind": "limit", "max_results": _tables.limits.search_results} if {
	input.mode == "call"
	input.tool.verb == "search"
}

_obligations contains {"kind": "redact", "above": ["public", "internal", "confidential"][_sees]} if {
	input.mode == "call"
	not _tool.redacts == false
}

# What an auditor reads of cases says for whom it was made. A role that does not say whether it
# marks does.
_obligations contains {"kind": "watermark", "text": text} if {
	input.mode == "call"
	not _tool.redacts == false
	not input.tool.verb in _changing
	some role in _reaching
	not _tables.roles[role].watermark == false
	text := sprintf("read by %s of %s in %s", [input.principal.id, input.principal.tenant, input.actor.run_id])
}

_obligations contains {"kind": "audit", "level": "full"} if {
	input.mode == "call"
	input.tool.verb in _changing
}

_obligations contains {"kind": "audit", "level": "summary"} if {
	input.mode == "call"
	not input.tool.verb in _changing
}

_changing := {"write", "execute"}

# The lower of the clearance and the most that a role which reaches the resource may see. Values
# above "confidential" leave by no tool.
default _sees := 0

_sees := min([_rank.confidential, _rank[input.principal.clearance], _sees_by_role])

_sees_by_role := max([_rank[_tables.roles[role].sees] | some role in _reaching])
