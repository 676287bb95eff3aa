# The tables that tie each deadline to its variant and start, and each limit to its variant.
package casewright.parameters

import future.keywords.not
import rego.v1

_variant_of.investigation contains _by_account_age if _error_case

_variant_of.provisional_credit contains _by_account_age if _error_case

_variant_of.investigation_extended contains _by_transfer if _error_case

_variant_of.written_confirmation contains "standard" if _awaiting_confirmation

_variant_of.provisional_credit_notice contains "standard" if _error_case

_variant_of.correction contains "standard" if _error_case

_variant_of.report_of_results contains "standard" if _error_case

_variant_of.billing_acknowledgement contains "standard" if _credit_card

_variant_of.billing_resolution contains "standard" if _credit_card

_variant_of.adverse_action_notice contains "standard" if _case.case_type == "adverse_action"

_variant_of.complaint_acknowledgement contains "standard" if _case.case_type == "complaint"

_variant_of.complaint_answer contains "standard" if _case.case_type == "complaint"

_start_of[id] := min(_notice_dates) if {
	some id in {
		"billing_acknowledgement", "billing_resolution", "investigation",
		"investigation_extended", "provisional_credit", "written_confirmation",
	}
}

_start_of[id] := _case.received_on if some id in {"complaint_acknowledgement", "complaint_answer"}

_start_of.adverse_action_notice := min(_application_dates)

_start_of.provisional_credit_notice := _milestone("provisional_credit_issued")

_start_of.report_of_results := _milestone("investigation_completed")

_start_of.correction := _milestone("investigation_found_error")

_notice_dates := {notice.received_on | some notice in _case.notices}

_application_dates := {item.received_on |
	some item in _case.evidence
	item.kind == "credit_application"
	item.sealed == false
}

_milestone(id) := min(dates) if {
	dates := {event.on |
		some event in _case.timeline
		event.event_id == id
	}
}

_awaiting_confirmation if {
	_error_case
	count(_notice_dates) > 0
	every notice in _case.notices {
		notice.kind == "oral"
		not notice.written_confirmation_on
	}
}

_limit_variant_of.customer_liability contains "reported_in_time" if {
	_liability_asked
	_reported_in_time
}

_limit_variant_of.customer_liability contains "reported_late" if {
	_liability_asked
	_reported_late
}

_limit_variant_of.customer_liability contains "no_device_lost" if {
	_liability_asked
	_loss_days < 0
	_within_statement_period
}

_limit_variant_of.provisional_credit_withholding contains _withholding if _error_case

_limit_variant_of.single_approval contains "standard"

_liability_asked if _case.case_type == "unauthorized_transfer"
