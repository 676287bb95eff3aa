"""With what a run worked and what that cost: models, tools, budgets."""

from collections.abc import Iterator

from casewright.contracts.event import AuditEvent
from casewright.contracts.explanation import Statement
from casewright.contracts.run import Budget
from graphs.explanation.history import RunHistory, each, said, who


def model(history: RunHistory) -> Iterator[Statement]:
    """Every model call with its task and prompt."""
    yield from each(history.audited("model.called"), _called)


def tools(history: RunHistory) -> Iterator[Statement]:
    """Every permitted call of a tool."""
    calls = history.audited("call.allowed")
    yield from each(calls, lambda event: f"{who(event)}: {event.body.get('server')}/{event.body.get('tool')}")


def cost(history: RunHistory) -> Iterator[Statement]:
    """Tokens by model, then what the budgets counted."""
    calls = history.audited("model.called")
    spent = sum(int(event.body["input_tokens"]) + int(event.body["output_tokens"]) for event in calls)
    yield from said(f"{len(calls)} model calls, {spent} tokens", calls)
    report = history.row.report
    if report is not None:
        yield from said(f"the budgets counted {_spent(report.budget)}", run=history.noted("step"))


def _spent(budget: Budget) -> str:
    spent = budget.spent
    counted = f"{spent.steps} steps, {spent.tool_calls} tool calls, {spent.wall_clock_ms} ms of work"
    if not budget.currency:  # a report of before tokens and money were counted
        return counted
    return f"{counted}, {spent.tokens} tokens, {spent.cost_micro / 1_000_000:.6f} {budget.currency}"


def _called(event: AuditEvent) -> str:
    body = event.body
    text = (
        f"{body['task']} v{body['task_version']} by {body['model'] or 'no model'}, prompt {body['prompt_id']} "
        f"v{body['prompt_version']} ({str(body['prompt_hash'])[:12]})"
    )
    return text + (f", degraded: {body['reason']}" if body["degraded"] else "")
