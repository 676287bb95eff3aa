# How a person must have proved who they are.
# Consequences ask for strong and recent sign-ins: rows of the data say for whom. Identities of a
# local installation prove nothing; they count only where the data allows them, which the data of
# a shared installation does not.

package casewright.access

import future.keywords.not
import rego.v1

# METADATA
# title: Local identities are not allowed
# description: The caller is an identity of the local file, and the policy data does not allow those.
deny contains _reason("authentication_local", "local identities are not allowed here") if {
	input.principal.authentication == "local"
	not _tables.authentication.local_allowed == true
}

# METADATA
# title: Sign-in too weak
# description: The tool has consequences, and the data does not accept this way of signing in for it.
deny contains _reason("authentication_weak", sprintf("%s is no sufficient sign-in", [input.principal.authentication])) if {
	_must_prove
	not _accepted
}

# METADATA
# title: Sign-in too old
# description: The tool has consequences, and the caller signed in too long ago or in the future.
deny contains _reason("authentication_old", "the sign-in is not recent enough; sign in again") if {
	_must_prove
	count(_proofs) > 0
	not _recent
}

_must_prove if {
	input.mode == "call"
	_is_consequence
	input.principal.authentication != "local"
}

# Rows for this kind of actor and a role by which the caller may use the tool; all must be met.
_proofs contains row if {
	some row in _tables.authentication.consequences
	row.actor == input.actor.kind
	some role in _roles
	role in row.roles
}

_accepted if {
	count(_proofs) > 0
	every row in _proofs { input.principal.authentication in row.methods }
}

_recent if {
	_signed_in_ns <= input.context.now_ns + 60000000000
	every row in _proofs { input.context.now_ns <= _signed_in_ns + (row.max_age_seconds * 1000000000) }
}

_signed_in_ns := input.principal.authenticated_at * 1000000000
