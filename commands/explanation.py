"""The auditor's questions about one run, each answered from records.

Every statement names the audit events (`audit:SEQ`) or run events (`run:SEQ`) it stands on; what
no record says is not said.
"""

from collections.abc import Iterable
from typing import Any

from casewright.audit.chain import AuditVerification
from casewright.contracts.event import AuditEvent
from casewright.contracts.run import RunReport
from casewright.services import Services
from commands.tables import money
from graphs.records import RunEvent, RunRecords, RunRow

Statement = dict[str, Any]


async def explain_run(services: Services, records: RunRecords, row: RunRow) -> dict[str, Any]:
    """What, why, from what, under what permission, with what, validated how, at what cost, and how
    one would know if it was wrong.
    """
    audit = await _audit_events(services, row)
    events = await records.events(row.run_id)
    verification = await services.audit.verify()
    return {
        "run_id": row.run_id,
        "case_id": row.case_id,
        "subject": row.subject,
        "status": row.status,
        "answered": _answered(row, events),
        "why": _why(row.report, events),
        "evidence": _evidence(row.report, events),
        "permission": _permission(audit),
        "model": _models(audit),
        "tools": _tools(audit),
        "validation": _validation(row.report, audit, events),
        "cost": _cost(audit, row.report, events),
        "detection": _detection(audit, events, verification),
    }


async def _audit_events(services: Services, row: RunRow) -> tuple[AuditEvent, ...]:
    """All of the run's events; the log hands them out a page at a time."""
    found: tuple[AuditEvent, ...] = ()
    while page := await services.audit.events(
        tenant=row.tenant, run_id=row.run_id, after=found[-1].seq if found else 0
    ):
        found += page
    return found


def _statement(text: str, audit: Iterable[AuditEvent] = (), run: Iterable[RunEvent] = ()) -> Statement:
    links = [f"audit:{event.seq}" for event in audit] + [f"run:{event.seq}" for event in run]
    return {"text": text, "events": links}


def _answered(row: RunRow, events: tuple[RunEvent, ...]) -> list[Statement]:
    if row.report is not None:
        action = row.report.recommendation.action if row.report.recommendation else None
        proposed = (
            f"proposed {action.kind} of {money(action.amount_minor, action.currency)}" if action else "no proposal"
        )
        drafted = [event for event in events if event.kind in ("drafted", "executed")]
        return [_statement(f"{row.report.status}: {row.report.because}; {proposed}", run=drafted)]
    answered = [event for event in events if event.kind == "answered"]
    return [_statement(event.body.get("answer") or event.body.get("reason", ""), run=[event]) for event in answered]


def _why(report: RunReport | None, events: tuple[RunEvent, ...]) -> list[Statement]:
    statements: list[Statement] = []
    for event in (event for event in events if event.kind == "assessed"):
        for basis in event.body["outcome"]["basis"]:
            clause = f"{basis['clause']['document_id']} {basis['clause']['label']}"
            statements.append(_statement(f"rule {basis['rule']}: {basis['because']} ({clause})", run=[event]))
    return statements


def _evidence(report: RunReport | None, events: tuple[RunEvent, ...]) -> list[Statement]:
    if report is None or report.recommendation is None:
        answered = [event for event in events if event.kind == "answered"]
        return [
            _statement(f"{item['document_id']} {item['version']} {item['label']}: “{item['quote']}”", run=[event])
            for event in answered
            for item in event.body["citations"]
        ]
    drafted = [event for event in events if event.kind == "drafted"]
    statements: list[Statement] = []
    for finding in report.recommendation.summary:
        for item in finding.citations:
            text = f"{item.document_id} {item.version} {item.label}: “{item.quote}”"
            statements.append(_statement(text, run=drafted))
        statements += [_statement(f"fact {fact.path} = {fact.value}", run=drafted) for fact in finding.facts]
    return statements


def _permission(audit: tuple[AuditEvent, ...]) -> list[Statement]:
    decided = [event for event in audit if event.kind in ("call.allowed", "call.denied")]
    revisions = sorted({str(event.body.get("policy_revision", "")) for event in decided} - {""})
    allowed = [event for event in decided if event.kind == "call.allowed"]
    denied = [event for event in decided if event.kind == "call.denied"]
    statements = [_statement(f"{len(allowed)} calls allowed under policy revision {', '.join(revisions)}", allowed)]
    statements += [
        _statement(
            f"denied: {event.agent or event.subject} {event.body.get('tool', '')}: {event.body.get('code')}", [event]
        )
        for event in denied
    ]
    for event in audit:
        if event.kind.startswith("approval."):
            who = event.subject or "the system"
            statements.append(_statement(f"{event.kind} {event.body.get('approval_id')} by {who}", [event]))
    return statements


def _models(audit: tuple[AuditEvent, ...]) -> list[Statement]:
    return [
        _statement(
            f"{event.body['task']} v{event.body['task_version']} by {event.body['model']}, prompt "
            f"{event.body['prompt_id']} v{event.body['prompt_version']} ({str(event.body['prompt_hash'])[:12]})"
            + (f", degraded: {event.body['reason']}" if event.body["degraded"] else ""),
            [event],
        )
        for event in audit
        if event.kind == "model.called"
    ]


def _tools(audit: tuple[AuditEvent, ...]) -> list[Statement]:
    return [
        _statement(f"{event.agent or event.subject}: {event.body['server']}/{event.body['tool']}", [event])
        for event in audit
        if event.kind == "call.allowed"
    ]


def _validation(
    report: RunReport | None, audit: tuple[AuditEvent, ...], events: tuple[RunEvent, ...]
) -> list[Statement]:
    statements = [
        _statement(
            f"the citation gate passed draft {event.body['draft_id']} version {event.body['version']}; "
            f"{event.body['dropped']} finding(s) were refused and left out",
            run=[event],
        )
        for event in events
        if event.kind == "drafted" and event.body.get("draft_id")
    ]
    checks = [
        event
        for event in audit
        if event.kind == "call.allowed" and event.body.get("tool") in ("verify_draft", "verify_quote")
    ]
    if checks:
        statements.append(_statement(f"{len(checks)} independent verification(s) of quotes by the server", checks))
    return statements


def _cost(audit: tuple[AuditEvent, ...], report: RunReport | None, run: tuple[RunEvent, ...]) -> list[Statement]:
    calls = [event for event in audit if event.kind == "model.called"]
    tokens = sum(int(event.body["input_tokens"]) + int(event.body["output_tokens"]) for event in calls)
    statements = [_statement(f"{len(calls)} model calls, {tokens} tokens", calls)]
    if report is not None:
        spent = report.budget.spent
        text = f"{spent.steps} steps, {spent.tool_calls} tool calls, {spent.wall_clock_ms} ms of work"
        statements.append(_statement(text, run=[event for event in run if event.kind == "step"]))
    return statements


def _detection(audit: tuple[AuditEvent, ...], run: tuple[RunEvent, ...], found: AuditVerification) -> list[Statement]:
    chain = "intact" if found.ok else "BROKEN: run `casewright audit verify`"
    quoted = [event for event in run if event.kind in ("drafted", "answered")]
    return [
        _statement(
            f"the audit chain of {found.events} events is {chain}; a changed byte, gap or cut tail shows", audit
        ),
        _statement("each quote carries the SHA-256 of its clause; a changed clause no longer verifies", run=quoted),
        _statement("each decision names the policy revision it was made under", audit[:1]),
    ]
