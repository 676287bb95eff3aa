"""What was answered, why, from what evidence, and how that was checked."""

from collections.abc import Iterator
from typing import Any

from casewright.contracts.explanation import Statement
from graphs.explanation.history import RunHistory, money, said


def answered(history: RunHistory) -> Iterator[Statement]:
    """What the run said, or where it stands."""
    row = history.row
    replies = history.noted("answered")
    if replies or row.report is None:
        for event in replies:
            yield from said(event.body.get("answer") or event.body.get("reason", ""), run=[event])
        if not replies:
            yield from said(f"{row.status}: nothing was answered yet", run=history.noted("status")[-1:])
        return
    found = row.report.recommendation
    amount = money(found.action.amount_minor, found.action.currency) if found else ""
    proposed = f"proposed {found.action.kind} of {amount}" if found else "no proposal"
    stands_on = history.noted("drafted", "executed") or history.events[-1:]
    yield from said(f"{row.report.status}: {row.report.because}; {proposed}", run=stands_on)
    for event in history.audited("effect.executed"):
        done = f"{event.body.get('action', 'the action')} was executed once, effect {event.body.get('effect_id', '')}"
        yield from said(done, [event])


def why(history: RunHistory) -> Iterator[Statement]:
    """The rules that gave the outcome, each time the case was judged, and what people chose for the run."""
    for event in history.noted("assessed"):
        for basis in event.body["outcome"]["basis"]:
            clause = f"{basis['clause']['document_id']} {basis['clause']['label']}"
            yield from said(f"rule {basis['rule']}: {basis['because']} ({clause})", run=[event])
    for event in history.audited("question.answered"):
        question = history.questions.get(str(event.body.get("question_id")))
        if question is not None:
            chosen = next((item.text for item in question.options if item.value == question.answer), question.answer)
            yield from said(f"asked “{question.text}”, {event.subject} answered “{chosen}”", [event])


def evidence(history: RunHistory) -> Iterator[Statement]:
    """The quotes and the values of the case that the answer rests on."""
    report = history.row.report
    if report is None or report.recommendation is None:
        for event in history.noted("answered"):
            for item in event.body["citations"]:
                yield from said(_quote(item), run=[event])
        return
    drafted = history.noted("drafted")
    for finding in report.recommendation.summary:
        for citation in finding.citations:
            yield from said(_quote(citation.model_dump()), run=drafted)
        for fact in finding.facts:
            yield from said(f"fact {fact.path} = {fact.value}", run=drafted)


def validation(history: RunHistory) -> Iterator[Statement]:
    """The citation gate, the checks of quotes, and that a changed answer was not used."""
    for event in history.noted("drafted"):
        if event.body.get("draft_id"):
            text = f"the citation gate passed draft {event.body['draft_id']} version {event.body['version']}; "
            yield from said(text + f"{event.body['dropped']} finding(s) were refused and left out", run=[event])
        else:
            problems = "; ".join(map(str, event.body.get("problems", [])))
            yield from said(f"the citation gate refused the draft: {problems}", run=[event])
    tools = ("verify_draft", "verify_quote")
    checks = [event for event in history.audited("call.allowed") if event.body.get("tool") in tools]
    yield from said(f"{len(checks)} independent verification(s) of quotes by the server", checks)


def detection(history: RunHistory) -> Iterator[Statement]:
    """What would show that the records or the quotes were changed, or the rules."""
    yield from said(_chain(history), history.audit)
    quoted = history.noted("drafted", "answered")
    yield from said("each quote carries the SHA-256 of its clause; a changed clause no longer verifies", run=quoted)
    decided = history.audited("call.allowed", "call.denied")
    yield from said("each decision names the policy revision it was made under, and can be replayed", decided[:1])
    for event in history.noted("suspected"):
        yield from said(_suspected(event.body["suspicions"]), run=[event])
    judged = history.audited("feedback.given")
    yield from said(f"{len(judged)} time(s) somebody said what is right or wrong with the answer", judged)


def _suspected(suspicions: list[dict[str, Any]]) -> str:
    told = "; ".join(f"{one['path']} {str(one['reason']).replace('_', ' ')}" for one in suspicions)
    return f"untrusted text looks as if it were written to steer a model, which decided nothing: {told}"


def _chain(history: RunHistory) -> str:
    found = history.chain
    if found is None:
        return "the audit chain was not checked for this; `casewright audit verify` does"
    state = "intact" if found.ok else "BROKEN: run `casewright audit verify`"
    return f"the audit chain of {found.events} events is {state}; a changed byte, gap or cut tail shows"


def _quote(item: dict[str, Any]) -> str:
    return f"{item['document_id']} {item['version']} {item['label']}: “{item['quote']}”"
