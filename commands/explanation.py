"""`casewright runs explain`: the auditor's questions about one run, as text, JSON or Markdown.

The answers are made in `graphs.explanation`, for the API as well.
"""

import os
from enum import StrEnum
from pathlib import Path
from typing import Any

import typer
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from casewright.contracts.explanation import SECTIONS, Explanation
from casewright.errors import InputError, StorageError
from commands.orchestrator import build_records
from commands.run_access import permitted_row
from commands.shell import Shell
from commands.visible import json_text, visible_text
from graphs.explanation.explain import explain_run
from graphs.explanation.links import ranges, together
from graphs.explanation.markdown import explanation_markdown
from servers.shown_records import record_reader


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


def explain(
    ctx: typer.Context,
    run_id: str = typer.Argument(help="Run id."),
    form: Format = typer.Option(Format.TEXT, "--format", help="How to write it; --json is --format json."),
    output: Path | None = typer.Option(None, "--output", help="Write it here; an existing file is replaced."),
) -> None:
    """Answer the auditor's questions about a run, each from its records."""
    shell: Shell = ctx.obj
    if shell.options.as_json and form is Format.MARKDOWN:
        raise InputError("--json and --format markdown ask for two things; choose one")
    explanation = shell.run(_explain(shell, run_id))
    document = explanation.model_dump(mode="json")
    if output is not None:
        written = Format.JSON if shell.options.as_json else form
        _write(output, _file_text(explanation, written))
        told = {"run_id": run_id, "file": str(output), "format": written.value}
        shell.show(told, lambda shown: Text(f"the explanation of {shown['run_id']} is in {shown['file']}"))
    elif form is Format.MARKDOWN:
        shell.show(document, lambda _: explanation_markdown(explanation).rstrip("\n"))
    elif form is Format.JSON:
        shell.show(document, lambda _: json_text(document))
    else:
        shell.show(document, explanation_view)


async def _explain(shell: Shell, run_id: str) -> Explanation:
    row, permission = await permitted_row(shell, run_id)
    told = await explain_run(shell.services, build_records(shell.services), row)
    reader = await record_reader(shell.services, row, shell.acting("review"), permission)
    return reader.explanation(told)


def explanation_view(document: dict[str, Any]) -> RenderableType:
    """The explanation for people: each section, what is said alike said once."""
    explanation = Explanation.model_validate(document)
    parts: list[RenderableType] = [Text(f"Run {explanation.run_id}: {explanation.status}", style="bold")]
    for name in SECTIONS:
        parts.append(Text(name, style="bold cyan"))
        for text, events in together(getattr(explanation, name)).items():
            sources = Text(f" [{ranges(events)}]", style="dim")
            parts.append(Padding(Text(text).append_text(sources), (0, 0, 0, 2)))
    return Group(*parts)


def _file_text(explanation: Explanation, form: Format) -> str:
    match form:
        case Format.JSON:
            return json_text(explanation.model_dump(mode="json")) + "\n"
        case Format.MARKDOWN:
            return explanation_markdown(explanation)
        case Format.TEXT:
            return "".join(f"{line}\n" for line in _plain_lines(explanation))


def _plain_lines(explanation: Explanation) -> list[str]:
    lines = [f"Run {explanation.run_id}: {explanation.status}"]
    for name in SECTIONS:
        lines.append(name)
        for text, events in together(getattr(explanation, name)).items():
            lines.append(f"  {visible_text(text)} [{ranges(events)}]")
    return lines


def _write(path: Path, text: str) -> None:
    """The file appears whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise StorageError(f"the file {str(path)!r} cannot be written: {error}; name another one") from error
    finally:
        partial.unlink(missing_ok=True)
