"""A sample organization to start with: two fictional institutions, their documents and cases.

Data only. Each tenant has `documents/<document_id>-<version>.md` and `cases.json`, a list of
`casewright.contracts.case.CaseFile` documents; `casewright init` reads both. Every name, amount
and event is invented.

Some timeline event ids are milestones that the rules look for: `provisional_credit_issued`,
`investigation_completed`, `investigation_found_error`, `investigation_found_no_error`,
`adverse_action_notice_sent`, and the excuses listed in `policies/data/outcomes/data.json`.
"""
