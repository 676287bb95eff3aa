"""`casewright bench models`: what the gateway costs a model call, beside the bare SDK in the same run.

The service is a transport in this process, under the SDK's own client; everything above it is real: prompts, retry,
permission, budget, redaction, egress policy, cassette, and the record in a data folder that is thrown away. Overheads
are what to compare; the goals are milliseconds on this machine.
"""

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import typer
from rich.console import Group, RenderableType

from casewright.config import Settings, app_root
from commands.bench_process import environment, machine, run_command
from commands.bench_timing import percentile
from commands.shell import Shell
from commands.tables import new_table

GOALS = {"overhead_p50_ms": 3.0, "redaction_ms_per_kb": 1.0}
_REPEATS = 9
_DENSE = (
    "Marisol Ingram, 742 Evergreen Terrace, Springfield, IL 62704, 415-555-0132, m.ingram@example.com, card "
    "4111 1111 1111 1111, SSN 123-45-6789, IBAN DE89370400440532013000, born March 4, 1981, account 0012345678. "
)


def register(app: typer.Typer) -> None:
    """Add the command to `casewright bench`."""
    app.command("models")(models)


def models(
    ctx: typer.Context,
    calls: int = typer.Option(200, min=50, max=2_000, help="Timed calls, bare and through the gateway."),
    together: int = typer.Option(500, min=10, max=2_000, help="Calls that are made at once."),
) -> None:
    """Measure the model gateway: overhead per call beside the bare SDK, redaction per KB, many calls at once."""
    shell: Shell = ctx.obj
    before = machine()
    with tempfile.TemporaryDirectory(prefix="casewright-bench-") as folder:
        document = shell.run(_measure(shell, Path(folder) / "home", calls, together))
    shell.show(document | {"goals": GOALS, "machine": before}, _view)


async def _measure(shell: Shell, home: Path, calls: int, together: int) -> dict[str, Any]:
    from casewright.services import Services
    from commands.bench_gateway import at_once, one_by_one

    with shell.busy("setting up a data folder"):
        await run_command("--home", str(home), "--json", "init")
    services = Services(Settings.load(home=str(home), environment=environment(), app_root=app_root()))
    try:
        with shell.busy("measuring redaction"):
            redaction = _redaction()
        with shell.busy("measuring one call after another"):
            call = await one_by_one(services, calls)
        with shell.busy(f"measuring {together} calls at once"):
            many = await at_once(services, together)
    finally:
        await services.close()
    return {"calls": calls, "call": call, "redaction": redaction, "together": many}


def _redaction() -> dict[str, Any]:
    """Milliseconds per KB over the texts of the sample cases, and over a text that is nothing but personal values."""
    from casewright.models.protection.placeholders import Placeholders

    found: dict[str, Any] = {}
    for name, texts in {"cases": _sample_texts(), "dense": [_DENSE * 40]}.items():
        kilobytes = sum(len(text.encode()) for text in texts) / 1024
        samples, processor = list[float](), list[float]()
        for _ in range(_REPEATS):
            placeholders, began, used = Placeholders(), time.perf_counter(), time.process_time()
            for text in texts:
                placeholders.redact(text)
            samples.append((time.perf_counter() - began) * 1000 / kilobytes)
            processor.append((time.process_time() - used) * 1000 / kilobytes)
        found[name] = {
            "kilobytes": round(kilobytes, 1),
            "ms_per_kb": round(percentile(samples, 50), 3),
            "cpu_ms_per_kb": round(percentile(processor, 50), 3),
        }
    return found


def _sample_texts() -> list[str]:
    """Every text of the sample cases that is a sentence or more."""
    sample = app_root() / "casewright" / "sample"
    files = sorted(sample.glob("*/cases.json"))
    cases = [case for file in files for case in json.loads(file.read_text(encoding="utf-8"))]
    return [text for case in cases for text in _texts(case) if " " in text]


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()  # pyright: ignore[reportUnknownVariableType]
    return [text for item in items for text in _texts(item)]  # pyright: ignore[reportUnknownVariableType]


def _view(document: dict[str, Any]) -> RenderableType:
    call, goals = document["call"], document["goals"]
    table = new_table(f"One call after another ({document['calls']} each)", "what", "p50 ms", "p95 ms", "processor ms")
    for name in ("bare", "gateway", "overhead"):
        table.add_row(name, f"{call[name]['p50_ms']:.2f}", f"{call[name]['p95_ms']:.2f}", f"{call[name]['cpu_ms']:.2f}")
    many = document["together"]
    told = new_table("Limits", "what", "measured", "goal")
    told.add_row("overhead of a call, p50", f"{call['overhead']['p50_ms']:.2f} ms", f"{goals['overhead_p50_ms']} ms")
    for name, figures in document["redaction"].items():
        told.add_row(f"redaction, {name}", f"{figures['ms_per_kb']:.3f} ms/KB", f"{goals['redaction_ms_per_kb']} ms/KB")
    told.add_row(f"{many['calls']} calls at once", f"{many['seconds']:.2f} s", "all answered")
    told.add_row("longest pause of the loop", f"{many['longest_pause_ms']:.0f} ms", "")
    return Group(table, told)
