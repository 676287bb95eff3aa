# What must be met before and after the tool runs.
# Approval, limit, redaction and audit; only of calls that are allowed.

package casewright.access

import future.keywords.not
import rego.v1

_obligations contains obligation if {
	_effect == "require_approval"
	obligation := {
		"kind": "approval",
		"roles": _approval.roles,
		"quorum": _approval.quorum,
		"author_excluded": true,
		"ttl_seconds": _tables.approvals.ttl_seconds,
	}
}

_obligations contains {"kind": "limit", "max_results": _tables.limits.search_results} if {
	input.mode == "call"
	input.tool.verb == "search"
}

_obligations contains {"kind": "redact", "above": level} if {
	input.mode == "call"
	not _tool.redacts == false
	some level, rank in _rank
	rank == _sees
}

_obligations contains {"kind": "audit", "level": "full"} if {
	input.mode == "call"
	input.tool.verb in {"write", "execute"}
}

_obligations contains {"kind": "audit", "level": "summary"} if {
	input.mode == "call"
	not input.tool.verb in {"write", "execute"}
}

# The lower of the clearance and the most that a role which reaches the resource may see. Values
# above "confidential" leave by no tool.
default _sees := 0

_sees := min([_rank.confidential, _rank[input.principal.clearance], _sees_by_role])

_sees_by_role := max([_rank[_tables.roles[role].sees] | some role in _reaching])
