"""How releases are shown: as documents, and for people. An override stands in every view of its release."""

from collections.abc import Iterable
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from casewright.clock import iso
from casewright.contracts.release import Release, ReleaseMove
from commands.tables import minute, new_table, stacked

_PINNED = ("gate", "passed_over", "eval_id", "report", "results", "versions", "pieces")


def release_document(release: Release) -> dict[str, Any]:
    """One release as JSON."""
    manifest = release.manifest.model_dump(mode="json")
    return {
        "release": {
            "release_id": release.release_id,
            "state": release.state,
            "created_by": release.created_by,
            "created": iso(release.created_ns),
            **{name: manifest[name] for name in _PINNED},
            "override": None if release.override is None else release.override.model_dump(mode="json"),
        }
    }


def in_force(move: ReleaseMove) -> dict[str, Any]:
    """What is in force, for every document of `casewright release`."""
    return {name: getattr(move, name) for name in ("active", "previous", "canary", "percent")}


def show_view(document: dict[str, Any]) -> RenderableType:
    """One release and what is in force."""
    found = document["release"]
    standing = _standing(document)
    if found is None:
        return standing
    table = new_table(f"{found['release_id']}: {found['state']}", "what", "")
    for name, value in found["versions"].items():
        table.add_row(name.replace("_", " "), str(value))
    table.add_row("evaluated by", stacked(found["eval_id"], found["report"]))
    recounted = f"from {found['results']}" if found["results"] else "no: the report was made without its results beside"
    table.add_row("counted again", recounted)
    table.add_row("made by", f"{found['created_by']}, {minute(found['created'])}")
    return Group(table, *_override_lines(found), standing)


def moved_view(document: dict[str, Any]) -> RenderableType:
    """What is in force after a switch."""
    lines = [Text(line) for line in widening_lines(document["policies"])]
    found = document["release"]
    return Group(*lines, *(_override_lines(found) if found else []), _standing(document))


def list_view(document: dict[str, Any]) -> RenderableType:
    """All releases, and the switches."""
    table = new_table("Releases", "release", "state", "policies and index", "made")
    for one in document["releases"]:
        versions = one["versions"]
        marks = [name for name in ("active", "previous", "canary") if document[name] == one["release_id"]]
        table.add_row(
            one["release_id"],
            ", ".join([one["state"], *marks]),
            stacked(versions["policy"][:12], versions["index_version"]),
            stacked(one["created_by"], minute(one["created"])),
        )
    moves = new_table("Switches", "", "what", "by", "why")
    for move in document["moves"]:
        share = f"{move['canary']} at {move['percent']} %" if move["canary"] else ""
        told = stacked(f"{move['kind'].replace('_', ' ')}: {move['active'] or 'no release'}", share)
        moves.add_row(str(move["seq"]), told, stacked(move["subject"], minute(iso(move["at_ns"]))), move["why"])
    overridden = [
        Text.assemble(f"{one['release_id']} ", line)
        for one in document["releases"]
        for line in _override_lines(one)[:1]
    ]
    return Group(table, *overridden, moves, _standing(document))


def widening_lines(policies: dict[str, Any]) -> Iterable[str]:
    """What other policies would do with recorded decisions, newly permitted ones first."""
    if policies["decisions"]:
        permissive = policies["permissive"]
        asked = f"{policies['decisions']} decisions, recorded and possible ones, were taken again"
        yield f"{asked}: {permissive} would let through more"
    for one in policies["groups"]:
        changes = f" ({', '.join(one['changes'])})" if one["changes"] else ""
        kind = one["kind"].replace("_", " ")
        yield f"{kind}: {one['count']} x {one['tool']} by {one['role']}: {one['before']} -> {one['after']}{changes}"


def _override_lines(found: dict[str, Any]) -> list[Text]:
    override = found["override"]
    if override is None:
        return []
    second = f"confirmed by {override['confirmed_by']}" if override["confirmed_by"] else "waits for a second person"
    told = f"made without a green gate: {override['recorded_by']} recorded it ({override['why']}), {second}"
    return [Text(told, style="bold red"), *(Text(f"  passed over: {one}", style="red") for one in found["passed_over"])]


def _standing(document: dict[str, Any]) -> RenderableType:
    """What the newest switch says, and where it is not believed, why."""
    said = _said(document)
    unread = document.get("not_followed")
    return Group(said, Text(f"not followed here: {unread}", style="bold red")) if unread else said


def _said(document: dict[str, Any]) -> Text:
    share = f"; {document['canary']} is tried out on {document['percent']} % of the cases" if document["canary"] else ""
    back = document["previous"] or "the installation's own files"
    if not document["active"]:
        return Text(f"no release is in force{share}", style="bold")
    return Text(f"in force: {document['active']}{share}; a rollback goes to {back}", style="bold")
