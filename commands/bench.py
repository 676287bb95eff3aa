"""`casewright bench`: figures with their comparison, from one run on this machine.

Ratios are what to compare between machines; milliseconds are what this one gave.
"""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import typer
from rich.table import Table

from casewright.errors import InputError
from commands import bench_answers, bench_corpus, bench_guard, bench_mcp, bench_models, bench_review
from commands.bench_process import environment, machine, run_command
from commands.shell import Shell

BARE_SERVER = """
from mcp.server.mcpserver import MCPServer
server = MCPServer("bare", log_level="ERROR")
@server.tool()
def search_policies(query: str, as_of: str = "", limit: int = 10) -> dict[str, str]:
    return {"query": query}
server.run("stdio")
"""
QUESTIONS = (
    "How long may a financial institution take to investigate an error?",
    "provisional credit within ten business days",
    "§ 1005.11(c)(2)(i)",
    "consumer liability for unauthorized transfers after loss of an access device",
    "notice of adverse action to an applicant within 30 days",
    "may a creditor ask for the race or ethnicity of an applicant",
    "escrow account statement shortage",
    "privacy notice opt out right",
    "preauthorized transfers stop payment order oral notice",
    "definition of business day",
)
Samples = list[float]


def build() -> typer.Typer:
    """The subcommands."""
    app = typer.Typer(help="Measure retrieval and the servers on this machine.", no_args_is_help=True)
    app.command("retrieval")(retrieval)
    app.command("search")(search)
    bench_answers.register(app)
    bench_guard.register(app)
    bench_mcp.register(app)
    bench_models.register(app)
    bench_review.register(app)
    bench_corpus.register(app)
    return app


def retrieval(
    ctx: typer.Context,
    passages: Path = typer.Option(..., help="JSON lines: id, document, text."),
    questions: Path = typer.Option(..., help="JSON lines: question, relevant."),
    limit: int | None = typer.Option(None, min=1, help="Only the first questions."),
) -> None:
    """Measure retrieval: recall and mean average precision at 10, latency; ours beside plain LanceDB, in one run."""
    from casewright.corpus.bench import measure

    shell: Shell = ctx.obj
    with shell.busy("indexing the passages and asking the questions"):
        figures = measure(passages, questions, limit_questions=limit)
    document = figures.model_dump(mode="json") | {"machine": machine()}
    shell.show(document, _retrieval_view)


def search(
    ctx: typer.Context,
    documents: Path = typer.Argument(help="A folder of documents to ingest for the measurement."),
    calls: int = typer.Option(200, min=20, max=5000, help="Timed searches."),
) -> None:
    """Measure search in a running server over stdio, beside a bare MCP server in the same run."""
    shell: Shell = ctx.obj
    if not documents.exists():
        raise InputError(f"{str(documents)!r} is not there; name a folder of documents")
    with tempfile.TemporaryDirectory(prefix="casewright-bench-") as home:
        document = shell.run(_measure_search(shell, home, documents, calls))
    shell.show(document, _search_view)


async def _measure_search(shell: Shell, home: str, documents: Path, calls: int) -> dict[str, Any]:
    with shell.busy("ingesting"):
        await run_command("--home", home, "init", "--no-sample")
        line = ("--home", home, "--json", "corpus", "ingest", str(documents), "--as", "selma")
        ingested = json.loads(await run_command(*line))
    with shell.busy("searching"):
        ours = ("-m", "casewright.launch", "mcp", "policy-search", "--as", "rosa", "--home", home)
        guarded = await _time_calls(ours, calls)
        bare = await _time_calls(("-c", BARE_SERVER), calls)
    return {
        "clauses": ingested["clauses"],
        "ingest_seconds": ingested["seconds"],
        "calls": calls,
        "p50_ms": _percentile(guarded, 50),
        "p95_ms": _percentile(guarded, 95),
        "bare_p50_ms": _percentile(bare, 50),
        "bare_p95_ms": _percentile(bare, 95),
        "ratio_p50": round(_percentile(guarded, 50) / _percentile(bare, 50), 2),
        "machine": machine(),
    }


async def _time_calls(arguments: tuple[str, ...], calls: int) -> Samples:
    from mcp import Client
    from mcp.client.stdio import StdioServerParameters

    parameters = StdioServerParameters(command=sys.executable, args=list(arguments), env=environment())
    samples: Samples = []
    async with Client(parameters) as client:
        for number in range(calls + len(QUESTIONS)):
            question = QUESTIONS[number % len(QUESTIONS)]
            began = time.perf_counter()
            result = await client.call_tool("search_policies", {"query": question, "as_of": "2017-06-01", "limit": 10})
            if result.is_error:
                raise InputError(f"the server refused a search: {result.content}")
            if number >= len(QUESTIONS):  # the first round warms both servers up
                samples.append((time.perf_counter() - began) * 1000)
    return samples


def _percentile(samples: Samples, percent: int) -> float:
    return round(statistics.quantiles(samples, n=100, method="inclusive")[percent - 1], 2)


def _retrieval_view(document: dict[str, Any]) -> Table:
    table = Table(title=f"{document['passages']} passages, {document['questions']} questions", title_justify="left")
    columns = ("recall_at_10", "map_at_10", "no_result_rate", "p50_ms", "p95_ms")
    for name in ("", *columns):
        table.add_column(name)
    plain = (("LanceDB full text", "full_text"), ("LanceDB hybrid", "hybrid"), ("LanceDB vector", "vector"))
    for name, figures in (("ours", document), *((name, document[key]) for name, key in plain)):
        table.add_row(name, *(f"{figures[column]:.3f}" for column in columns))
    return table


def _search_view(document: dict[str, Any]) -> Table:
    title = (
        f"{document['calls']} searches over {document['clauses']} clauses, ingested in {document['ingest_seconds']} s"
    )
    table = Table(title=title, title_justify="left")
    for name in ("server", "p50 ms", "p95 ms"):
        table.add_column(name)
    table.add_row("policy-search", str(document["p50_ms"]), str(document["p95_ms"]))
    table.add_row("bare mcp", str(document["bare_p50_ms"]), str(document["bare_p95_ms"]))
    return table
