"""`casewright bench answers`: labelled questions over a folder of documents, beside plain LanceDB in the same run."""

import tempfile
from pathlib import Path
from typing import Any

import typer
from rich.console import Group, RenderableType

from casewright.errors import InputError
from commands.bench_process import machine
from commands.shell import Shell
from commands.tables import new_table

GOALS = {"found": 0.95, "abstaining_recall": 0.9, "unverified": 0}


def register(app: typer.Typer) -> None:
    """Add the command to `casewright bench`."""
    app.command("answers")(answers)


def answers(
    ctx: typer.Context,
    documents: Path = typer.Option(..., help="The folder of documents that the questions are about."),
    questions: list[Path] = typer.Option(..., help="JSON lines of labelled questions; may be repeated."),
) -> None:
    """Measure answers: right clause in the first five, abstaining, true citations; by voice and by date."""
    from casewright.corpus.answer_bench import measure_answers

    shell: Shell = ctx.obj
    if not documents.exists():
        raise InputError(f"{str(documents)!r} is not there; name a folder of documents")
    before = machine()
    with (
        shell.busy("indexing the documents and asking the questions"),
        tempfile.TemporaryDirectory(prefix="casewright-bench-") as folder,
    ):
        figures = measure_answers(Path(folder), documents, questions)
    files = {path.name: each.model_dump(mode="json") for path, each in zip(questions, figures, strict=True)}
    shell.show({"files": files, "goals": GOALS, "machine": before}, _view)


def _view(document: dict[str, Any]) -> RenderableType:
    return Group(*(_of_file(name, figures) for name, figures in document["files"].items()))


def _of_file(name: str, figures: dict[str, Any]) -> RenderableType:
    title = f"{name}: {figures['questions']} questions over {figures['clauses']} clauses"
    table = new_table(title, "questions", "answerable", "ours", "full text", "hybrid", "unanswerable", "abstained")
    for kind, part in figures["slices"].items():
        found = (f"{part[key]:.3f}" for key in ("found", "full_text_found", "hybrid_found"))
        counts = (str(part["unanswerable"]), f"{part['abstained']:.3f}")
        table.add_row(kind, str(part["answerable"]), *found, *counts)
    table.caption = (
        f"abstaining: precision {figures['abstaining_precision']:.3f}, recall {figures['abstaining_recall']:.3f}; "
        f"{figures['citations']} citations, {figures['unverified']} unverified; "
        f"search p50 {figures['p50_ms']} ms, p95 {figures['p95_ms']} ms"
    )
    return table
