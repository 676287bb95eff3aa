"""`casewright bench corpus`: what ingest and search cost as the corpus grows, beside plain LanceDB in the same run.

For every size a data folder of its own is made and thrown away; `bench_corpus_size` says what is done with it.
Ratios are what to compare between machines.
"""

from pathlib import Path
from typing import Any

import typer
from rich.table import Table

from commands.bench_process import machine
from commands.shell import Shell
from commands.tables import new_table

SEED = 20_250_630
GOALS = {
    "clauses_per_second": 1_500,
    "search_p95_ms": {"110000": 12, "1000000": 30},
    "server_resident_mb": {"110000": 600},
}


def register(app: typer.Typer) -> None:
    """Add the command to `casewright bench`."""
    app.command("corpus")(corpus)


def corpus(
    ctx: typer.Context,
    clauses: list[int] = typer.Option([21_000], min=100, max=2_000_000, help="How many clauses; may be repeated."),
    documents: list[Path] = typer.Option([], help="Real documents to make clauses from; the sample's if absent."),
    searches: int = typer.Option(400, min=20, max=5_000, help="Timed searches of each kind."),
    seed: int = typer.Option(SEED, help="Another seed makes other clauses."),
    plot: Path | None = typer.Option(None, help="Draw how the cost grows into this PNG; needs the extra `plots`."),
) -> None:
    """Measure ingest and search over made clauses: rate, size, memory and latency with prefilters, at every size."""
    from commands.bench_corpus_size import Size, measured  # brings the corpus and the client of the servers

    shell: Shell = ctx.obj
    if plot is not None:
        from commands.bench_corpus_plot import check

        check(plot)
    document: dict[str, Any] = {"sizes": [], "seed": seed, "goals": GOALS, "machine": machine()}
    for count in clauses:
        size = Size(clauses=count, documents=tuple(documents), searches=searches, seed=seed)
        document["sizes"].append(shell.run(measured(shell, size)))
        shell.note(_line(document["sizes"][-1]))
        if plot is not None:  # after every size, since the next may take long
            from commands.bench_corpus_plot import draw

            draw(document, plot)
    shell.show(document, _view)


def _line(size: dict[str, Any]) -> str:
    """One size in short, while the next is being measured."""
    return (
        f"{size['clauses']} clauses: {size['ingest']['clauses_per_second']} a second, search p95 "
        f"{size['search']['ours']['p95_ms']} ms of {size['visible_clauses']} visible, server {size['server']}"
    )


def _view(document: dict[str, Any]) -> Table:
    table = new_table(
        "clauses made from real ones, searched with tenant, label and as-of prefilters",
        *("clauses", "visible", "a second", "bytes each", "ingest MB", "server MB"),
        *("p50 ms", "p95 ms", "p99 ms", "server p95", "full text p95", "hybrid p95"),
    )
    for size in document["sizes"]:
        search, server = size["search"], size["server"]
        cells = (
            size["clauses"],
            size["visible_clauses"],
            size["ingest"]["clauses_per_second"],
            size["index"]["bytes_per_clause"],
            size["ingest"]["peak_mb"],
            server["resident_mb"],
            *(search["ours"][name] for name in ("p50_ms", "p95_ms", "p99_ms")),
            server["p95_ms"],
            search["full_text"]["p95_ms"],
            search["hybrid"]["p95_ms"],
        )
        table.add_row(*("-" if cell is None else f"{cell:,}" for cell in cells))
    return table
