"""`casewright policy replay`: what a changed policy folder would decide otherwise, before it ships."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from casewright.clock import NANOSECONDS
from casewright.errors import InputError
from commands.option_groups import taking
from commands.policy_folder import FOLDER, policy_folder
from commands.shell import Shell
from commands.tables import new_table, stacked

if TYPE_CHECKING:
    from casewright.access.flips import Flip, FlipGroup
    from casewright.access.replay import ReplayInput, ReplayReport

MAX_DECISIONS = 50_000
_STYLES = {"newly_permitted": "bold red", "weakened": "red", "newly_denied": "yellow", "tightened": "cyan"}
_SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class ReplayOptions:
    """What was asked for."""

    candidate: Path | None = typer.Option(None, help="The changed policy folder.")
    policies: Path | None = FOLDER
    inputs: Path | None = typer.Option(None, help="A file of exported decisions, instead of those on record.")
    since: str = typer.Option("", help="Only decisions from this day or instant on, such as 2026-11-01.")
    tool: str = typer.Option("", help="Only decisions on the tool of this name.")
    limit: int = typer.Option(MAX_DECISIONS, min=1, help="At most so many, the newest ones.")
    accept: Path | None = typer.Option(None, help="A JSON list of accepted flips, each with who and why.")
    accept_all: bool = typer.Option(False, "--accept-all", help="Let every flip pass, this time.")
    draft: Path | None = typer.Option(None, "--draft-acceptance", help="Write the flips found as such a list.")
    export: Path | None = typer.Option(None, help="Write the decisions into this new file and stop.")
    personal: bool = typer.Option(False, "--with-personal-data", help="Export encrypted parts too; needs permission.")


@taking(ReplayOptions)
def replay(ctx: typer.Context, options: ReplayOptions) -> None:
    """Decide recorded decisions again, with the policies in force and a candidate; list what flips."""
    shell: Shell = ctx.obj
    if options.export is not None:
        shell.show(_export(shell, options, options.export), _export_view)
        return
    if options.candidate is None:
        raise InputError("what is to be tried is missing; name the changed folder with --candidate")
    candidate = policy_folder(shell, options.candidate, option="--candidate")
    document = _replay(shell, (policy_folder(shell, options.policies), candidate), options)
    shell.show(document, _view)
    raise typer.Exit(0 if document["ok"] else 1)


def _replay(shell: Shell, folders: tuple[Path, Path], options: ReplayOptions) -> dict[str, Any]:
    from casewright.access.flips import acceptance_draft, group, read_acceptance
    from casewright.access.replay import replay as replay_inputs

    accepted = read_acceptance(options.accept) if options.accept else ()
    found = _read(shell, options)
    with shell.busy(f"replaying {len(found)} decisions"):
        report = replay_inputs(*folders, found)
    groups = group(report.flips, accepted)
    if options.draft is not None:
        _write(options.draft, acceptance_draft(groups))
    return _document(report, groups, options.accept_all)


def _export(shell: Shell, options: ReplayOptions, file: Path) -> dict[str, Any]:
    """Opened parts of inputs leave only for those who may read decisions one by one as well."""
    from casewright.access.decision_files import write_inputs
    from commands.recorded_decisions import READ, REPLAY

    if options.inputs is not None:
        raise InputError("--export writes what is on record; leave out --inputs")
    personal = options.personal
    found = _recorded(shell, options, opened=personal, deed=READ if personal else REPLAY)
    return {"file": str(file), "decisions": write_inputs(file, found), "personal_data": personal}


def _export_view(document: dict[str, Any]) -> str:
    return f"{document['decisions']} decisions in {document['file']}"


def _read(shell: Shell, options: ReplayOptions) -> "Sequence[ReplayInput]":
    """From the file, or from the record with permission."""
    from casewright.access.decision_files import read_inputs
    from commands.recorded_decisions import REPLAY

    if options.inputs is None:
        return _recorded(shell, options, opened=True, deed=REPLAY)
    if options.since:
        raise InputError("--since selects from the record; a file of inputs is taken whole, leave it out")
    return [one for one in read_inputs(options.inputs) if options.tool in ("", _tool_of(one))][-options.limit :]


def _recorded(shell: Shell, options: ReplayOptions, *, opened: bool, deed: str) -> "Sequence[ReplayInput]":
    from commands.recorded_decisions import Selection, selected

    selection = Selection(
        tool=options.tool, since_ns=_instant(options.since), limit=options.limit, opened=opened, deed=deed
    )
    return shell.run(selected(shell, selection))


def _tool_of(one: "ReplayInput") -> str:
    tool: Any = one.document.get("tool")
    return str(cast("dict[str, Any]", tool).get("name", "")) if isinstance(tool, dict) else ""


def _instant(text: str) -> int:
    """Nanoseconds since the epoch; a time without a zone is UTC."""
    if not text:
        return 0
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text!r} is no day or instant; write --since 2026-11-01 or 2026-11-01T08:00") from error
    aware = found if found.tzinfo else found.replace(tzinfo=dt.UTC)
    return int(aware.timestamp()) * NANOSECONDS


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{str(file)!r} cannot be written: {error.strerror}; name another file") from error


def _document(report: "ReplayReport", groups: "Sequence[FlipGroup]", everything: bool) -> dict[str, Any]:
    open_groups = [one for one in groups if not one.accepted]
    return {
        "ok": everything or not open_groups,
        "inputs": report.inputs,
        "baseline": report.baseline,
        "candidate": report.candidate,
        "counts": report.counts,
        "groups": [asdict(one) for one in groups],
        "flips": [_flip(one) for one in report.flips],
        "accepted_all": everything,
        "not_accepted": len(open_groups),
        "other_reasons": report.other_reasons,
        "not_reproducible": [asdict(one) for one in report.not_reproducible],
    }


def _flip(flip: "Flip") -> dict[str, Any]:
    return {
        "input": flip.input,
        "from": flip.before.effect,
        "to": flip.after.effect,
        "kind": flip.kind,
        "tool": flip.tool,
        "role": flip.role,
        "codes": {"from": list(flip.before.codes), "to": list(flip.after.codes)},
        "changes": list(flip.changes),
    }


def _view(document: dict[str, Any]) -> RenderableType:
    rows: list[RenderableType] = []
    if document["groups"]:
        table = new_table("Flips", "what", "tool and role", "from and to", "how many", "for example")
        table.columns[3].justify = "right"
        for one in document["groups"]:
            kind = one["kind"].replace("_", " ")
            table.add_row(
                stacked(kind, "accepted" if one["accepted"] else "", style=_STYLES[one["kind"]]),
                stacked(one["tool"], one["role"]),
                stacked(one["before"], f"-> {one['after']}", *one["changes"]),
                str(one["count"]),
                one["example"],
            )
        rows.append(table)
    rows += [Text(line, style="yellow") for line in _unreproducible(document["not_reproducible"])]
    counts = document["counts"]
    told = ", ".join(f"{counts[kind]} {kind.replace('_', ' ')}" for kind in _STYLES)
    rows.append(Text(f"{document['inputs']} decisions replayed: {told}; {document['other_reasons']} for other reasons"))
    rows.append(_conclusion(document))
    return Group(*rows)


def _unreproducible(rows: Sequence[dict[str, Any]]) -> list[str]:
    lines = [f"not reproducible: {row['input']}: {row['reason']}" for row in rows[:_SHOWN]]
    return lines if len(rows) <= _SHOWN else [*lines, f"and {len(rows) - _SHOWN} more; see --json"]


def _conclusion(document: dict[str, Any]) -> Text:
    if not document["groups"]:
        return Text("nothing flips", style="bold green")
    if document["ok"]:
        return Text("every flip is accepted", style="bold green")
    text = f"{document['not_accepted']} kinds of flips are not accepted; look at each, then see --accept"
    return Text(text, style="bold red")
