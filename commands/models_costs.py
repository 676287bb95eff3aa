"""`casewright models costs`: what the recorded model calls of a tenant cost, as a table, as JSON and as a picture.

Exit code 1: an alert threshold is reached, that of `--alert-above` or that of the limits in `spending.toml`.
"""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from casewright.clock import NANOSECONDS, today
from casewright.errors import InputError
from commands.corpus import parse_date
from commands.option_groups import taking
from commands.permission import permit
from commands.shell import Shell
from commands.tables import new_table, stacked
from servers.permission import Deed

if TYPE_CHECKING:
    from casewright.models.costs import Sum
    from casewright.models.spending import SpendingRules, Spent

MICRO = 1_000_000
_AMOUNT = re.compile(r"\d{1,9}(?:\.\d{1,6})?")
_WIDEST_BAR = 12
_LATEST_NS = 2**63 - 1
"""The last instant that a database can hold, in the year 2262."""


class Grouping(StrEnum):
    TASK = "task"
    MODEL = "model"
    RUN = "run"
    CASE = "case"
    TENANT = "tenant"
    DAY = "day"


@dataclass(frozen=True, kw_only=True)
class CostOptions:
    by: Grouping = typer.Option(Grouping.TASK, help="What to add up by.")
    since: str = typer.Option("", help="Only calls from this day on (YYYY-MM-DD, UTC).")
    plot: Path | None = typer.Option(None, help="Also draw it: a .png or .svg. Needs the extra `plots`.")
    alert_above: str = typer.Option("", help="Exit with 1 if the total is at or above this amount, for example 2.50.")


def add(app: typer.Typer) -> None:
    """Add the command to `casewright models`."""
    app.command("costs")(costs)


@taking(CostOptions)
def costs(ctx: typer.Context, options: CostOptions) -> None:
    """Show what model calls cost, and how often caches were hit; exits with 1 if an alert threshold is reached."""
    shell: Shell = ctx.obj
    threshold = _micro(options.alert_above)
    if options.plot is not None:
        from commands.models_costs_plot import check

        check(options.plot)
    document = shell.run(_costs(shell, options, threshold))
    if options.plot is not None:
        from commands.models_costs_plot import draw

        draw(document, options.plot)
    shell.show(document, _view)
    raise typer.Exit(1 if document["alerts"] else 0)


async def _costs(shell: Shell, options: CostOptions, threshold: int | None) -> dict[str, Any]:
    from casewright.models.costs import sums
    from casewright.models.kept_calls import recorded_calls
    from casewright.models.prices import prices_of
    from casewright.models.spending import TenantSpending, spending_rules

    services, principal = shell.services, shell.principal("audit")
    since = parse_date(options.since) if options.since else None
    await permit(services, principal, Deed(name="read_costs", verb="read"))
    table, rules = prices_of(services.settings.home), spending_rules(services.settings.home)
    calls = await recorded_calls(services.database, principal.tenant, since_ns=_midnight_ns(since))
    groups, total = sums(calls, options.by.value, table)
    spent = await TenantSpending(services.database).of(principal.tenant, today(services.clock))
    return {
        "tenant": principal.tenant,
        "by": options.by.value,
        "since": options.since,
        "currency": table.currency,
        "groups": [_group(one) for one in groups],
        "total": _group(total),
        "limits": list(_limits(rules, principal.tenant, spent)),
        "alerts": list(_alerts(rules, principal.tenant, spent, total, threshold)),
    }


def _group(one: "Sum") -> dict[str, Any]:
    usage = one.usage
    return {
        "name": one.name,
        "calls": one.calls,
        "failed": one.failed,
        "degraded": one.degraded,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "cost_micro": one.cost_micro,
        "priced": one.priced,
        "estimated_micro": one.estimated_micro,
        "prompt_cache_percent": one.prompt_cache_percent,
        "answer_cache_percent": one.answer_cache_percent,
        "answers_given_again": one.hits,
    }


def _limits(rules: "SpendingRules", tenant: str, spent: "Spent") -> Iterator[dict[str, Any]]:
    """The limits that there are, and what is spent of them."""
    limits = rules.of(tenant)
    for name, limit, so_far in (("day", limits.daily, spent.today), ("month", limits.monthly, spent.month)):
        if limit is not None:
            yield {"of": name, "limit_micro": limit, "spent_micro": so_far, "percent": 100 * so_far // limit}


def _alerts(rules: "SpendingRules", tenant: str, spent: "Spent", total: "Sum", threshold: int | None) -> Iterator[str]:
    if threshold is not None and total.cost_micro >= threshold:
        yield f"the total of {_money(total.cost_micro)} has reached {_money(threshold)} (--alert-above)"
    for limit in _limits(rules, tenant, spent):
        if limit["percent"] >= rules.alert_percent:
            yield (
                f"{_money(limit['spent_micro'])} of this {limit['of']}'s {_money(limit['limit_micro'])} are spent, "
                f"{limit['percent']} % (alert_percent is {rules.alert_percent})"
            )


def _micro(amount: str) -> int | None:
    """An amount in the currency as millionths; None where none is given."""
    if not amount:
        return None
    if not _AMOUNT.fullmatch(amount):
        raise InputError(f"--alert-above {amount!r} is no amount; write it like 2.50, with at most six decimals")
    whole, _, part = amount.partition(".")
    return int(whole) * MICRO + int(part.ljust(6, "0"))


def _midnight_ns(day: dt.date | None) -> int:
    if day is None:
        return 0
    seconds = int(dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC).timestamp())
    return max(0, min(seconds * NANOSECONDS, _LATEST_NS))


def _view(document: dict[str, Any]) -> RenderableType:
    title = f"Model calls of {document['tenant']}, {document['currency']}"
    table = new_table(title, document["by"], "calls", "tokens in/out", "cost", "", "from caches")
    dearest = max((group["cost_micro"] for group in document["groups"]), default=0)
    for group in (*document["groups"], document["total"]):
        bar = "" if group is document["total"] else _bar(group["cost_micro"], dearest)
        table.add_row(*_row(group), Text(bar, style="cyan"), _caches(group))
    parts: list[RenderableType] = [table]
    if not document["total"]["priced"]:
        parts.append(Text("≤ is the most it can have been: a model without a price, or a call that was given up"))
    for limit in document["limits"]:
        text = f"{_money(limit['spent_micro'])} of this {limit['of']}'s {_money(limit['limit_micro'])} are spent"
        parts.append(Text(f"{text} ({limit['percent']} %)"))
    parts += [Text(f"alert: {alert}", style="bold red") for alert in document["alerts"]]
    return Group(*parts)


def _row(group: dict[str, Any]) -> tuple[RenderableType, ...]:
    troubled = ", ".join(f"{group[name]} {name}" for name in ("failed", "degraded") if group[name])
    read = group["input_tokens"] + group["cache_read_tokens"] + group["cache_write_tokens"]
    cost = _money(group["cost_micro"])
    return (
        group["name"],
        stacked(str(group["calls"]), troubled),
        f"{read}/{group['output_tokens']}",
        cost if group["priced"] else f"≤ {cost}",
    )


def _caches(group: dict[str, Any]) -> Text:
    prompts, answers = group["prompt_cache_percent"], group["answer_cache_percent"]
    told = [f"prompts {prompts} %"] if prompts is not None else []
    return stacked(", ".join([*told, *([f"answers {answers} %"] if answers is not None else [])]) or "-")


def _bar(amount: int, most: int) -> str:
    """A bar as long as its share of the dearest; something that cost anything shows."""
    if not amount:
        return ""
    return "█" * max(1, _WIDEST_BAR * amount // most)


def _money(micro: int) -> str:
    return f"{micro // MICRO}.{micro % MICRO:06d}"
