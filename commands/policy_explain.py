"""`casewright policy explain`: one decision, rule by rule: what fired, and what nearly did."""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import typer
from rich.console import RenderableType
from rich.text import Text
from rich.tree import Tree

from casewright.clock import iso
from casewright.contracts.decision import Allowed
from casewright.errors import InputError
from commands.policy_folder import FOLDER, policy_folder
from commands.shell import Shell

if TYPE_CHECKING:
    from casewright.access.explain import Explanation, NearRule

_ID_BEGINS = "dec-"
_OPPOSITE = {True: "deny", False: "allow"}
"""Which rules would change the answer."""


def explain_decision(
    ctx: typer.Context,
    source: str = typer.Argument(
        metavar="INPUT", help="A file with an input/v1 document, '-', or the id of a recorded decision."
    ),
    policies: Path | None = FOLDER,
    every: bool = typer.Option(False, "--all", help="Also show nearly fired rules that would not change the answer."),
) -> None:
    """Explain one decision: the rules that fired, and those that one condition kept from firing."""
    from casewright.access.bundle import read_bundle
    from casewright.access.embedded import EmbeddedEngine
    from casewright.access.explain import explain

    shell: Shell = ctx.obj
    document, recorded = _recorded(shell, source) if _is_id(source) else (_input(source), {})
    folder = policy_folder(shell, policies)
    found = explain(EmbeddedEngine.load(folder), read_bundle(folder), document)
    shell.show(_document(found) | recorded, lambda shown: _view(shown, every))


def _is_id(source: str) -> bool:
    return source.startswith(_ID_BEGINS) and not Path(source).exists()


def _recorded(shell: Shell, decision_id: str) -> tuple[Mapping[str, Any], dict[str, Any]]:
    """The input of a recorded decision, and what was decided on it then."""
    from commands.recorded_decisions import one_decision

    found = shell.run(one_decision(shell, decision_id))
    told = {
        "decision_id": found.decision_id,
        "at": iso(found.at_ns),
        "effect": found.effect,
        "codes": list(found.codes),
        "revision": found.revision,
        "engine": found.engine,
        "missing": list(found.redacted),
    }
    return found.input, {"recorded": told}


def _input(source: str) -> Mapping[str, Any]:
    way_out = "write one input/v1 document (policies/schemas/input-v1.json) into it"
    name = "standard input" if source == "-" else repr(source)
    try:
        value: Any = json.loads(sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{name} cannot be read as JSON: {error}; {way_out}") from error
    if not isinstance(value, dict):
        raise InputError(f"{name} holds no object; {way_out}")
    return cast("dict[str, Any]", value)


def _document(found: "Explanation") -> dict[str, Any]:
    verdict = found.verdict
    return {
        "allow": found.allow,
        "effect": verdict.decision.effect if isinstance(verdict, Allowed) else "deny",
        "code": "" if isinstance(verdict, Allowed) else verdict.code,
        "detail": "" if isinstance(verdict, Allowed) else verdict.detail,
        "allowing": found.reasons("allow"),
        "denying": found.reasons("deny"),
        "fired": [asdict(rule.place) | {"entries": [dict(entry) for entry in rule.entries]} for rule in found.fired],
        "nearly": [_near(rule) for rule in found.nearly],
        "stopped": [_near(rule) for rule in found.stopped],
        "problems": list(found.problems),
        "unexamined": list(found.unexamined),
        "revision": verdict.decision.revision if isinstance(verdict, Allowed) else verdict.revision,
    }


def _near(rule: "NearRule") -> dict[str, Any]:
    return asdict(rule.place) | {
        "condition": rule.condition,
        "condition_line": rule.condition_line,
        "held": rule.held,
        "values": dict(rule.values),
        "because": [_near(helper) for helper in rule.because],
    }


def _view(document: dict[str, Any], every: bool) -> RenderableType:
    style = "bold green" if document["allow"] else "bold red"
    code = f" ({document['code']})" if document["code"] else ""
    tree = Tree(Text(f"{document['effect']}{code} under revision {document['revision'][:12]}", style=style))
    if "recorded" in document:
        tree.add(_recorded_line(document["recorded"]))
    if document["problems"] or document["code"] == "input_invalid":
        _add_problems(tree, document)
    fired = tree.add(Text("fired" if document["fired"] else "no rule fired", style="bold"))
    for rule in document["fired"]:
        _add_fired(fired, rule)
    wanted = _OPPOSITE[document["allow"]]
    near = [rule for rule in document["nearly"] if every or rule["rule"] == wanted]
    if near:
        branch = tree.add(Text("nearly fired: one condition is missing", style="bold"))
        for rule in sorted(near, key=lambda rule: (rule["rule"], -rule["held"])):
            _add_near(branch, rule)
    if document["stopped"] and not document["allow"]:
        branch = tree.add(Text("did not allow", style="bold"))
        for _, alike in groupby(document["stopped"], _why):
            _add_near(branch, *alike)
    for reason in document["unexamined"]:
        tree.add(Text(f"not examined: {reason}", style="yellow"))
    return tree


def _recorded_line(told: dict[str, Any]) -> Text:
    said = f"recorded {told['at']}: {told['effect']}: {', '.join(told['codes'])} under {told['revision'][:12]}"
    left_out = f"; the record no longer holds {', '.join(told['missing'])}" if told["missing"] else ""
    return Text(said + left_out, style="dim")


def _add_problems(tree: Tree, document: dict[str, Any]) -> None:
    branch = tree.add(Text("the input is not a whole input/v1 document", style="bold red"))
    for path in document["problems"]:
        branch.add(Text(f"missing, odd or unknown: {path}", style="red"))
    if document["code"] == "input_invalid":
        branch.add(Text(document["detail"], style="dim"))


def _add_fired(branch: Tree, rule: dict[str, Any]) -> None:
    colour = {"allow": "green", "deny": "red"}.get(rule["rule"], "cyan")
    node = branch.add(_head(rule, colour))
    if rule["title"] or rule["description"]:
        node.add(Text(rule["title"] or rule["description"], style="dim"))
    for entry in rule["entries"]:
        node.add(Text(str(entry["message"]) if "message" in entry else json.dumps(entry, ensure_ascii=False)))


def _why(rule: dict[str, Any]) -> str:
    return json.dumps([rule["condition"], rule["values"], rule["because"]])


def _add_near(branch: Tree, rule: dict[str, Any], *alike: dict[str, Any]) -> None:
    """One rule, or several in a row that stop for the same reason."""
    node = branch.add(Text("\n").join(_head(one, "yellow") for one in (rule, *alike)))
    condition = node.add(Text(f"line {rule['condition_line']}: {rule['condition']}"))
    for reference, value in rule["values"].items():
        condition.add(Text(f"{reference} = {value}", style="dim"))
    for helper in rule["because"]:
        _add_near(condition, helper)


def _head(rule: dict[str, Any], colour: str) -> Text:
    text = Text(f"{rule['rule']} {rule['code']}".rstrip(), style=colour)
    return text.append(f"  {rule['file']}:{rule['line']}", style="dim")
