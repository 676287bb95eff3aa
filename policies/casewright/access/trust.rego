# What untrusted text may do.
# It may be read and quoted. It never steers a consequence without the approval of people, whatever
# the rule of effects says.

package casewright.access

import future.keywords.not
import rego.v1

# METADATA
# title: Untrusted text steers a consequence
# description: An argument comes from text that nobody vouches for, and no approval would stand before the effect.
deny contains _reason("untrusted_steers", "untrusted text may not steer this without an approval") if {
	input.mode == "call"
	_is_consequence
	"untrusted" in {origin | some origin in input.provenance}
	not _effect == "require_approval"
}

# A tool that does not say whether it has consequences has them.
_is_consequence if not _tool.consequence == false

_is_consequence if input.tool.verb == "execute"
