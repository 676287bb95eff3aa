"""`casewright doctor`: what works here, what does not, and how to mend it."""

import asyncio
import importlib.metadata
import json
import platform
import shutil
from collections.abc import Awaitable, Callable
from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from casewright import __version__
from casewright.access.checking import check_embedded as check_policies
from casewright.clock import iso
from casewright.effects.history import waiting_effects
from casewright.errors import CasewrightError
from casewright.services import Services
from commands.shell import Shell
from commands.tables import new_table

Check = Callable[[Services], Awaitable[str]]
LIBRARIES = ("mcp", "langgraph", "lancedb", "gordon-to-regorus", "sqlalchemy", "anthropic")


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("doctor")(doctor)


def doctor(ctx: typer.Context) -> None:
    """Check the installation and the data folder."""
    shell: Shell = ctx.obj
    document = shell.run(_examine(shell))
    shell.show(document, _view)
    raise typer.Exit(0 if document["ok"] else 1)


async def _examine(shell: Shell) -> dict[str, Any]:
    checks: tuple[tuple[str, Check], ...] = (
        ("data folder", _home),
        ("identities", _identities),
        ("policies", _policies),
        ("engine", _engine),
        ("database", _database),
        ("reloads", _reloads),
        ("audit", _audit),
        ("corpus", _corpus),
        ("outbox", _outbox),
        ("models", _models),
        ("money", _money),
    )
    results = [await _result(name, check, shell.services) for name, check in checks]
    optional = [
        {
            "name": "opa on PATH",
            "found": shutil.which("opa") is not None,
            "needed_for": "opa fmt/check/test in scripts/check, CASEWRIGHT_ENGINE=opa; scripts/get-opa brings it",
        },
        {
            "name": "ANTHROPIC_API_KEY",
            "found": bool(shell.settings.anthropic_api_key),
            "needed_for": "answers in a model's own words; offline/extractive without it",
        },
    ]
    return {
        "ok": all(result["ok"] for result in results),
        "version": __version__,
        "python": platform.python_version(),
        "home": str(shell.settings.home),
        "checks": results,
        "optional": optional,
        "libraries": {name: _version(name) for name in LIBRARIES},
    }


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


async def _result(name: str, check: Check, services: Services) -> dict[str, Any]:
    try:
        return {"name": name, "ok": True, "detail": await check(services)}
    except CasewrightError as error:
        return {"name": name, "ok": False, "detail": str(error)}


async def _models(services: Services) -> str:
    """Which are asked first, and what is missing for the others; the prompts as they were locked."""
    from casewright.models.assembly import first_models
    from casewright.models.configured import Configured
    from casewright.models.prompt_lock import check_lock
    from casewright.models.prompts import PromptLibrary

    prompts = services.release.current().prompts
    check_lock(PromptLibrary(prompts), prompts)
    configured = Configured(settings=services.settings, models=services.models)
    lacking = [f"{name}: {why}" for name in configured.models.names if (why := configured.missing(name))]
    first = f"asked first: {', '.join(first_models(services.settings, services.models))}"
    return "; ".join([first, *(["without " + ", ".join(lacking)] if lacking else [])])


async def _money(services: Services) -> str:
    """The prices and limits that every call of a model is held to; a file that is wrong stops them all."""
    from casewright.models.prices import prices_of
    from casewright.models.spending import spending_rules

    home = services.settings.home
    table, rules = prices_of(home), spending_rules(home)
    limited = "limits in spending.toml" if rules.limited else "no limits of tenants"
    return f"{len(table.price)} prices in {table.currency}, {limited}"


async def _home(services: Services) -> str:
    _ = services.signing_key
    return str(services.settings.home)


async def _identities(services: Services) -> str:
    if services.settings.identity.issuer is None:
        return ", ".join(person.id for person in services.identities.people)
    from commands.identity import identity_line

    return await identity_line(services)


async def _policies(services: Services) -> str:
    found = services.release.current()
    report = check_policies(found.policies)
    if not report.ok:
        first = report.problems[0]
        raise CasewrightError(f"{first.path}:{first.line}: {first.message}; `casewright policy check` lists all")
    return f"revision {report.revision[:12]} in {found.policies}, {found.release_id or 'no release'}"


async def _engine(services: Services) -> str:
    """What decides, and whether it does."""
    return await asyncio.to_thread(services.engine.probe)


async def _reloads(services: Services) -> str:
    """How the last change of the policies ended in the processes that serve; they put it into the audit."""
    from sqlalchemy import select

    from casewright.storage.tables import audit_events

    kinds = audit_events.c.kind.in_(("policy.loaded", "policy.refused"))
    newest = select(audit_events).where(kinds).order_by(audit_events.c.seq.desc()).limit(1)
    async with services.database.read() as connection:
        row = (await connection.execute(newest)).mappings().first()
    if row is None:
        return "no change of the policies while servers ran"
    body, at = json.loads(row["body"]), iso(row["at_ns"])
    if row["kind"] == "policy.refused":
        raise CasewrightError(f"refused at {at}, {body['revision'][:12]} stays in force: {body['detail']}")
    return f"revision {body['revision'][:12]} put in force at {at}"


async def _database(services: Services) -> str:
    from casewright.storage.migrate import current

    _ = services.database
    return f"migration {current(services.settings.database)}"


async def _audit(services: Services) -> str:
    found = await services.audit.verify()
    if not found.ok:
        raise CasewrightError(f"event {found.first_bad}: {found.problem}")
    return f"{found.events} events, intact"


async def _corpus(services: Services) -> str:
    stats = services.corpus.stats()
    return f"{stats.documents} documents, {stats.clauses} clauses, index {services.corpus.index_version()}"


async def _outbox(services: Services) -> str:
    waiting = await waiting_effects(services.database)
    if waiting:
        raise CasewrightError(f"{waiting} effect(s) wait for delivery; `casewright runs resume RUN` delivers them")
    return "nothing waits for delivery"


def _view(document: dict[str, Any]) -> Table:
    table = new_table(f"Casewright {document['version']} on Python {document['python']}", "check", "", "detail")
    for check in document["checks"]:
        mark = Text("ok", style="green") if check["ok"] else Text("mend", style="bold red")
        table.add_row(check["name"], mark, Text(check["detail"]))
    for item in document["optional"]:
        table.add_row(item["name"], Text("found" if item["found"] else "absent", style="dim"), item["needed_for"])
    return table
