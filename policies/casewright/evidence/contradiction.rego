# Contradictory evidence: two items about the same transfer that support opposite results, each
# of them a record of the institution or a document. Items that name no transfer speak of the case.
package casewright.evidence

import rego.v1

_documents := {
	"account_statement",
	"credit_report",
	"device_log",
	"identity_document",
	"merchant_receipt",
	"police_report",
	"transaction_log",
}

_contradictions contains {one.evidence_id, other.evidence_id} if {
	some one in _evidence
	one.supports == "customer"
	_weighty(one)
	some other in _evidence
	other.supports == "institution"
	_weighty(other)
	object.get(one, "transaction_id", "") == object.get(other, "transaction_id", "")
}

_weighty(item) if item.trust in {"system", "staff"}

_weighty(item) if item.kind in _documents
