"""`casewright models check`: whether each tier's model answers, how fast, at which price, and held to its schema.

It asks one small question of public text, through the gateway with all its layers, so it is permitted, recorded and
paid for like any other call. Without a model beyond this process there is nothing to reach: exit code 2, with the way
out; the offline provider is checked all the same. Exit code 1: a model did not answer as it should.
"""

import asyncio
import importlib
import secrets
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from casewright.contracts.principal import Principal
from casewright.errors import CasewrightError
from casewright.services import Services
from commands.orchestrator import build_gateway
from commands.permission import permit
from commands.shell import Shell
from commands.tables import listing, stacked

if TYPE_CHECKING:  # the models are loaded when the command runs
    from casewright.models.accounting import CallRecord
    from casewright.models.configured import Configured
    from casewright.models.model_settings import ModelSettings

WAY_OUT = (
    "no model beyond this process is configured: set ANTHROPIC_API_KEY, or describe one in models.toml of the data "
    "folder (docs/models.md); until then the offline provider answers every task"
)
NONE_TO_ASK = (
    "no model of models.toml can be asked: add what it lacks (docs/models.md); until then the offline provider answers "
    "every task"
)
_CLAUSE = "The bank must answer a notice of error within ten business days of receiving it."
_OTHER = "The bank must keep a record of each call for two years."


def add(app: typer.Typer) -> None:
    """Add the command to `casewright models`."""
    app.command("check")(check)


def check(ctx: typer.Context) -> None:
    """Ask the first model of each tier one small question: latency, tokens, cost, and whether it kept to its schema."""
    shell: Shell = ctx.obj
    document = shell.run(_check(shell))
    shell.show(document, view)
    if document["problem"]:
        shell.note(document["problem"])
    failed = not all(one["answered"] for one in document["checks"])
    raise typer.Exit(1 if failed else 2 if document["problem"] else 0)


async def _check(shell: Shell) -> dict[str, Any]:
    from api.run_views import ask_deed
    from casewright.models.configured import Configured
    from casewright.models.model_settings import OFFLINE, model_settings

    services, principal = shell.services, shell.principal("review")
    await permit(services, principal, ask_deed(principal))
    configured = Configured(settings=shell.settings, models=model_settings(shell.settings))
    # First, so that no latency tells how long it takes to load what every process loads once.
    offline = await _asked(services, principal, configured.models, OFFLINE)
    await asyncio.to_thread(_load, services, configured.models)
    checks: list[dict[str, Any]] = []
    for tier, names in configured.models.tiers.by_name.items():
        name = _first(names, configured)
        if name:
            checks.append({"tier": tier} | await _asked(services, principal, configured.models, name))
    left_out = _left_out(configured)
    problem = "" if checks else NONE_TO_ASK if left_out else WAY_OUT
    checks.append({"tier": "(any)"} | offline)
    return {"checks": checks, "problem": problem, "left_out": left_out}


def _load(services: Services, models: "ModelSettings") -> None:
    """The policies in force, and the library of the service."""
    services.engine.reload_if_changed()
    if models.anthropic is not None:
        importlib.import_module("anthropic")


def _first(names: tuple[str, ...], configured: "Configured") -> str:
    """The first model of a tier that can be reached and is not in this process; empty: none."""
    from casewright.models.model_settings import OFFLINE

    return next((name for name in names if name != OFFLINE and not configured.missing(name)), "")


def _left_out(configured: "Configured") -> list[dict[str, str]]:
    """Models that a tier names and that cannot be asked, with what they lack."""
    named = dict.fromkeys(name for names in configured.models.tiers.by_name.values() for name in names)
    return [{"model": name, "missing": lack} for name in named if (lack := configured.missing(name))]


async def _asked(services: Services, principal: Principal, models: "ModelSettings", name: str) -> dict[str, Any]:
    """One model, asked through a gateway that has no other."""
    from casewright.models.layer import CallContext
    from casewright.models.model_settings import Tiers
    from casewright.models.tasks import RESEARCH_SELECT
    from graphs.budget import whole_allowance

    alone = models.model_copy(
        update={"tiers": Tiers(fast=(name,), standard=(name,), strong=(name,)), "offline_last": False}
    )
    context = CallContext(
        run_id=f"check-{secrets.token_hex(8)}",
        case_id="",
        tenant=principal.tenant,
        agent="",
        allowance=whole_allowance(services.settings.budgets),
    )
    async with build_gateway(services, alone) as gateway:
        try:
            result = await gateway.run(RESEARCH_SELECT, _question(secrets.token_hex(8)), context=context)
        except CasewrightError as error:
            return {"model": name, "answered": False, "problem": str(error)}
    return {"model": name, "answered": True, "problem": ""} | _measured(result.record)


def _question(nonce: str) -> Any:
    """Small, and another one each time: an answer that was kept would say nothing about the model."""
    from casewright.models.selection import CandidateClause, SelectInput

    texts = (_CLAUSE, _OTHER)
    clauses = tuple(
        CandidateClause(clause_id=f"check@1#{number}", label=str(number), lead_in="", text=text, score=1.0 / number)
        for number, text in enumerate(texts, start=1)
    )
    return SelectInput(topic=f"How long may the bank take to answer a notice of error? ({nonce})", clauses=clauses)


def _measured(record: "CallRecord") -> dict[str, Any]:
    return {
        "answered_by": record.model,
        "latency_ms": record.duration_ms,
        "structured_output": record.repairs == 0,
        "corrections": record.repairs,
        "requests": record.calls,
        "request_ids": list(record.request_ids),
        "input_tokens": record.input_tokens,
        "output_tokens": record.output_tokens,
        "cache_read_tokens": record.cache_read_tokens,
        "cache_write_tokens": record.cache_write_tokens,
        "cost_micro": record.cost_micro,
        "currency": record.currency,
        "priced": record.priced,
    }


def view(document: dict[str, Any]) -> RenderableType:
    """The document of the command for people."""
    heads = ("tier", "model", "answer", "latency", "tokens in, out", "cost")
    problems = [f"{one['tier']}: {one['problem']}" for one in document["checks"] if not one["answered"]]
    left_out = [f"not asked: {one['model']}: {one['missing']}" for one in document["left_out"]]
    return Group(
        listing("Models", heads, [_row(one) for one in document["checks"]], ids=()),
        *(Text(line, style="red") for line in problems),
        *(Text(line, style="yellow") for line in left_out),
    )


def _row(one: dict[str, Any]) -> tuple[RenderableType, ...]:
    if not one["answered"]:
        return (one["tier"], one["model"], Text("none, see below", style="red"), "", "", "")
    held = "valid at once" if one["structured_output"] else f"valid after {one['corrections']} corrections"
    cost = f"{one['cost_micro'] / 1_000_000:.6f} {one['currency']}" if one["priced"] else "no price is known"
    return (
        one["tier"],
        stacked(one["model"], one["answered_by"]) if one["answered_by"] not in one["model"] else one["model"],
        Text(held, style="green"),
        f"{one['latency_ms']} ms",
        f"{one['input_tokens']}, {one['output_tokens']}",
        cost,
    )
