"""`casewright policy matrix`: a picture of who may do what, drawn from the policy's own answers."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from casewright.errors import InputError
from commands.policy_folder import FOLDER, policy_folder
from commands.shell import Shell
from commands.tables import new_table

_WORDS = {"permit": "allow", "require_approval": "approval", "maybe": "maybe", "deny": "deny", "none": "-"}
_SHORT = {
    "permit": ("yes", "green"),
    "require_approval": ("ask", "yellow"),
    "maybe": ("may", "cyan"),
    "none": ("-", ""),
}
_HEADS = {
    "listed": "list",
    "assigned": "own",
    "not assigned": "not",
    "other tenant": "ten",
    "conflict": "cfl",
    "sealed": "sld",
    "agent at its step": "agt",
    "agent elsewhere": "els",
}
"""Columns of the terminal's table, so that it fits into 80 columns."""


def matrix(
    ctx: typer.Context,
    policies: Path | None = FOLDER,
    role: str = typer.Option("", help="Only this role."),
    tool: str = typer.Option("", help="Only this tool, as name or server/name."),
    markdown: bool = typer.Option(False, "--markdown", help="Print a Markdown table for documents."),
) -> None:
    """Ask the policy about every role and tool in every state of case and caller; draw the answers."""
    from casewright.access.bundle import read_bundle
    from casewright.access.embedded import EmbeddedEngine
    from casewright.access.matrix import STATES
    from casewright.access.matrix import matrix as ask

    shell: Shell = ctx.obj
    if markdown and shell.options.as_json:
        raise InputError("--markdown and --json are two forms of one answer; choose one")
    folder = policy_folder(shell, policies)
    with shell.busy("asking the policy"):
        engine = EmbeddedEngine.load(folder)
        rows = ask(engine, read_bundle(folder), role=role, tool=tool)
    document: dict[str, Any] = {
        "revision": engine.revision,
        "states": list(STATES),
        "rows": [asdict(row) for row in rows],
    }
    shell.show(document, _markdown if markdown else _view)


def _markdown(document: dict[str, Any]) -> str:
    heads = ["tool", "role", *document["states"]]
    lines = [_line(heads), _line("---" for _ in heads)]
    for row in document["rows"]:
        lines.append(_line([f"`{row['tool']}`", row["role"], *(_word(cell) for cell in row["cells"])]))
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _word(cell: dict[str, Any]) -> str:
    return f"deny ({cell['code']})" if cell["effect"] == "deny" else _WORDS[cell["effect"]]


def _view(document: dict[str, Any]) -> RenderableType:
    letters = _letters(document["rows"])
    table = new_table("Who may do what", "tool", "role", *(_HEADS[state] for state in document["states"]))
    before = ""
    for row in document["rows"]:
        cells = [_cell(cell, letters) for cell in row["cells"]]
        table.add_row(row["tool"] if row["tool"] != before else "", row["role"], *cells)
        before = row["tool"]
    heads = ", ".join(f"{short} = {state}" for state, short in _HEADS.items())
    codes = ", ".join(f"{letter} = {code}" for code, letter in letters.items())
    legend = "yes = allowed, ask = with approval, may = depends on the case, - = no agent has it"
    return Group(table, Text(heads, style="dim"), Text(legend, style="dim"), Text(f"denied: {codes}", style="dim"))


def _cell(cell: dict[str, Any], letters: dict[str, str]) -> Text:
    if cell["effect"] == "deny":
        return Text(letters[cell["code"]], style="red")
    word, style = _SHORT[cell["effect"]]
    return Text(word, style=style)


def _letters(rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    """A letter for each code of a denial, in order of appearance; after 26 two letters."""
    codes = dict.fromkeys(cell["code"] for row in rows for cell in row["cells"] if cell["effect"] == "deny")
    return {code: _letter(index) for index, code in enumerate(codes)}


def _letter(index: int) -> str:
    rest, last = divmod(index, len(ascii_lowercase))
    return (ascii_lowercase[rest - 1] if rest else "") + ascii_lowercase[last]
