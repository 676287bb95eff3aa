package casewright.outcome_test

import rego.v1

import data.casewright.outcome

# A claim of transfers made more than 60 days after the statement is denied, one on day 60 is not.
_calendar_action(statement, posted) := proposal.basis[0].rule if {
	proposal := outcome.proposal with input as {
		"case": {
			"tenant": "harborline", "case_type": "unauthorized_transfer", "received_on": "2026-12-01",
			"notices": [{"notice_id": "n1", "received_on": "2026-12-01", "statement_sent_on": statement}],
			"transactions": [{"transaction_id": "t1", "disputed": true, "posted_on": posted, "amount_minor": 100}],
		},
		"days": {"notice_after_statement_days": 200},
		"evidence": {"complete": true, "items": [{"id": "a", "status": "present", "needed": true}]},
	}
}

test_sixty_days_are_counted_across_months_and_leap_years[statement] if {
	some statement, days in {
		"2026-01-01": ["2026-03-02", "2026-03-03"],
		"2026-02-28": ["2026-04-29", "2026-04-30"],
		"2026-06-30": ["2026-08-29", "2026-08-30"],
		"2026-08-09": ["2026-10-08", "2026-10-09"],
		"2025-12-31": ["2026-03-01", "2026-03-02"],
		"2024-01-15": ["2024-03-15", "2024-03-16"],
		"2023-12-31": ["2024-02-29", "2024-03-01"],
		"2024-11-15": ["2025-01-14", "2025-01-15"],
		"2100-02-01": ["2100-04-02", "2100-04-03"],
		"2000-02-01": ["2000-04-01", "2000-04-02"],
		"2099-12-15": ["2100-02-13", "2100-02-14"],
	}
	_calendar_action(statement, days[0]) == "late_unauthorized_within"
	_calendar_action(statement, days[1]) == "late_unauthorized"
}

test_days_are_counted_across_every_month_and_century[statement] if {
	some statement, days in {
		"2026-05-10": ["2026-07-09", "2026-07-10"],
		"2026-07-05": ["2026-09-03", "2026-09-04"],
		"2000-12-15": ["2001-02-13", "2001-02-14"],
		"2100-12-15": ["2101-02-13", "2101-02-14"],
	}
	_calendar_action(statement, days[0]) == "late_unauthorized_within"
	_calendar_action(statement, days[1]) == "late_unauthorized"
}
