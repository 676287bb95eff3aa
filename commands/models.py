"""`casewright models`: which tasks are asked of which models, and the lock on the prompts.

`check` and `costs` have modules of their own.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from casewright.config import Settings, app_root
from casewright.errors import InputError
from commands import models_check, models_costs, models_prune
from commands.shell import Shell
from commands.tables import listing, stacked

if TYPE_CHECKING:  # the models are loaded when one of these commands runs
    from casewright.models.configured import Configured
    from casewright.models.prompts import PromptLibrary
    from casewright.models.task import Task

_ABILITIES = ("structured_output", "tools", "streaming", "prompt_caching", "token_counting")


def build() -> typer.Typer:
    """The subcommands."""
    app = typer.Typer(help="Which models there are, what they cost, and the lock on the prompts.", no_args_is_help=True)
    app.command("list")(list_models)
    app.command("lock")(lock)
    models_check.add(app)
    models_costs.add(app)
    models_prune.add(app)
    return app


def list_models(ctx: typer.Context) -> None:
    """List the tasks with their limits, and the models with what they can do; calls none."""
    shell: Shell = ctx.obj
    shell.show(_document(shell.settings), _view)


def lock(ctx: typer.Context) -> None:
    """Lock the text of prompts whose version was raised; a changed text under an old version is refused."""
    from casewright.models.prompt_lock import LOCK_FILE, lock_text, read_lock, renewed
    from casewright.models.prompts import PromptLibrary

    shell: Shell = ctx.obj
    locked: list[dict[str, Any]] = []
    versions = 0
    for folder in (app_root() / "agents" / "prompts", app_root() / "evals" / "judging" / "prompts"):
        known = read_lock(folder)
        new = renewed(PromptLibrary(folder), known)
        if new:
            _write_lock(folder / LOCK_FILE, lock_text((*known.prompt, *new)))
        locked += [one.model_dump() for one in new]
        versions += len(known.prompt) + len(new)
    document = {"locked": locked, "versions": versions}
    shell.show(document, _lock_view)


def _write_lock(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path.name!r} cannot be written: {error.strerror}; lock prompts in a checkout") from error


def _document(settings: Settings) -> dict[str, Any]:
    from casewright.models.configured import Configured
    from casewright.models.model_settings import model_settings
    from casewright.models.prompt_lock import check_lock
    from casewright.models.prompts import PromptLibrary
    from casewright.models.tasks import TASKS

    configured = Configured(settings=settings, models=model_settings(settings))
    folder = app_root() / "agents" / "prompts"
    library = PromptLibrary(folder)
    check_lock(library, folder)
    return {
        "file": str(settings.models_file) if settings.models_file.exists() else "",
        "tasks": [_task(one, library, configured) for one in TASKS.values()],
        "tiers": {tier: list(names) for tier, names in configured.models.tiers.by_name.items()},
        "models": [_model(name, configured) for name in configured.models.names],
    }


def _task(task: "Task[Any, Any]", library: "PromptLibrary", configured: "Configured") -> dict[str, Any]:
    prompt = library.for_task(task)
    return {
        "task": task.name,
        "version": task.version,
        "risk": task.risk,
        "tier": configured.models.tier(task.risk),
        "asks": [name for name in configured.models.order(task.risk) if not configured.missing(name)],
        "prompt": {"file": task.prompt, "version": prompt.head.version, "sha256": prompt.sha256},
        "budget": {
            "output_tokens": task.max_output_tokens,
            "input_characters": task.max_input_characters,
            "seconds": configured.models.deadlines.get(task.name, task.timeout_seconds),
            "cost_micro_a_request": task.max_cost_micro,
        },
        "data_class": task.data_class.value,
        "holds_case": task.holds_case,
        "personal_data": task.personal_data,
        "deterministic": task.deterministic,
        "offline_may_answer": task.may_degrade,
    }


def _model(name: str, configured: "Configured") -> dict[str, Any]:
    missing = configured.missing(name)
    can: dict[str, Any] = {}
    if not missing:
        known = configured.declared(name).capabilities
        can = {ability: getattr(known, ability) for ability in _ABILITIES}
        can |= {
            "region": known.region,
            "leaves_process": known.leaves_process,
            "max_input_tokens": known.max_input_tokens,
        }
    return {"model": name, "configured": not missing, "missing": missing, "can": can}


def _view(document: dict[str, Any]) -> RenderableType:
    tasks: list[tuple[RenderableType, ...]] = [
        (
            stacked(f"{one['task']} v{one['version']}", f"{one['prompt']['file']} v{one['prompt']['version']}"),
            stacked(one["risk"], one["tier"]),
            stacked(*one["asks"]) if one["asks"] else Text("none", style="red"),
            _budget(one["budget"]),
        )
        for one in document["tasks"]
    ]
    models: list[tuple[RenderableType, ...]] = [
        (
            stacked(one["model"], _where(one["can"]), style="" if one["configured"] else "dim"),
            Text("yes", style="green") if one["configured"] else Text(one["missing"], style="yellow"),
            ", ".join(ability for ability in _ABILITIES if one["can"].get(ability)),
        )
        for one in document["models"]
    ]
    where = document["file"] or "no models.toml: the environment says which models there are"
    return Group(
        listing("Tasks", ("task, prompt", "risk, tier", "asks, in order", "budget"), tasks, ids=()),
        Text(),
        listing("Models", ("model, region", "configured", "can"), models, ids=()),
        Text(where, style="dim"),
    )


def _where(can: dict[str, Any]) -> str:
    return str(can.get("region", "")) if can.get("leaves_process", True) else "stays in this process"


def _budget(budget: dict[str, Any]) -> Text:
    cost = f"{budget['cost_micro_a_request'] / 1_000_000:.2f} a request"
    return stacked(f"{budget['seconds']:g} s", f"{budget['output_tokens']:,} tokens out", cost)


def _lock_view(document: dict[str, Any]) -> RenderableType:
    if not document["locked"]:
        return Text(f"nothing to lock: all {document['versions']} versions are", style="green")
    lines = [f"{one['id']} v{one['version']}: {one['sha256'][:12]}" for one in document["locked"]]
    return stacked(f"{len(lines)} version(s) locked", *lines, style="green")
