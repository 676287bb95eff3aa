"""`casewright release`: make, promote, try out, compare, roll back and retire releases.

A release is made of the installation's own files under a green eval report, and put in force as one; running servers,
API and workers follow with their next call. What the access policies would newly permit is shown before it is.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from casewright.contracts.principal import Principal
from casewright.contracts.release import Release, ReleaseManifest, ReleaseMove
from casewright.errors import ConflictError, InputError, StorageError
from casewright.releases.evidence import read_report
from casewright.releases.following import InForce, own_files
from casewright.releases.pieces import collected
from casewright.releases.store import Switch, check_why
from commands.option_groups import taking
from commands.permission import permit
from commands.release_evidence import against, counted_again, present_measure
from commands.release_shadow import shadow
from commands.release_trial import SWITCH, Widening, tried, tried_own, widening
from commands.release_views import in_force, list_view, moved_view, release_document, show_view, widening_lines
from commands.shell import Shell
from servers.permission import Deed

CREATE, OVERRIDE, READ = "create_release", "override_release", "read_release"
WHY = typer.Option("", "--why", help="Why, for the record.")
YES = typer.Option(False, "--yes", help="Also where the policies would permit more than now.")


def build() -> typer.Typer:
    """The subcommands."""
    app = typer.Typer(help="Make, promote, try out, compare and roll back releases.", no_args_is_help=True)
    app.command("create")(create)
    app.command("confirm")(confirm)
    app.command("promote")(promote)
    app.command("rollback")(rollback)
    app.command("canary")(canary)
    app.command("shadow")(shadow)
    app.command("show")(show)
    app.command("list")(list_releases)
    app.command("retire")(retire)
    return app


@dataclass(frozen=True, kw_only=True)
class CreateOptions:
    """What a release is made under."""

    report: Path = typer.Option(..., "--report", help="The report.json of `casewright eval run --full --gate`.")
    digest: str = typer.Option(
        "", "--digest", help="Its SHA-256; absent: what stands in FILE.sha256, if that is there."
    )
    override: bool = typer.Option(False, "--override", help="Without a green gate; a second person has to confirm it.")
    why: str = WHY


@taking(CreateOptions)
def create(ctx: typer.Context, options: CreateOptions) -> None:
    """Make a release of the installation's files under a green eval report; nothing is in force by it."""
    shell: Shell = ctx.obj
    shell.show(shell.run(_create(shell, options)), show_view)


async def _create(shell: Shell, options: CreateOptions) -> dict[str, Any]:
    from graphs.versions import versions_under  # imported here: other subcommands need no graph

    principal = await _permitted(shell, OVERRIDE if options.override else CREATE)
    services, own = shell.services, own_files(shell.settings)
    evidence = read_report(options.report, expected=options.digest)
    versions = versions_under(services, own)
    pieces = collected(own.policies, own.prompts, shell.settings.models_file)
    if versions != versions_under(services, own):
        raise ConflictError("the installation's files changed while they were read; repeat")
    results, miscounted = counted_again(evidence.report, options.report)
    told = (*miscounted, *against(evidence.report, versions, present_measure()))
    if told and not options.override:
        await services.releases.note("release.refused", principal, {"report": evidence.sha256, "problems": told[:20]})
        listed = "\n".join(f"- {one}" for one in told[:20])
        raise InputError(f"no release is made under {str(options.report)!r}:\n{listed}")
    manifest = ReleaseManifest(
        versions=versions,
        pieces=pieces.digest,
        report=evidence.sha256,
        results=results or None,
        eval_id=evidence.report.eval_id,
        gate="overridden" if told else "green",
        passed_over=told[:100],
    )
    made = await services.releases.add(manifest, pieces, principal=principal, why=options.why)
    return release_document(made) | in_force(await services.releases.move())


def confirm(ctx: typer.Context, release_id: str, why: str = WHY) -> None:
    """Confirm an override as the second person; only then can it be promoted."""
    shell: Shell = ctx.obj
    shell.show(shell.run(_confirm(shell, release_id, why)), show_view)


async def _confirm(shell: Shell, release_id: str, why: str) -> dict[str, Any]:
    principal, store = await _permitted(shell, OVERRIDE), shell.services.releases
    found = await store.confirm(release_id, principal=principal, why=why)
    return release_document(found) | in_force(await store.move())


def promote(ctx: typer.Context, release_id: str, yes: bool = YES, why: str = WHY) -> None:
    """Put a release in force, in running servers, API and workers too; shows first what would be newly permitted."""
    shell: Shell = ctx.obj
    shell.show(shell.run(_promote(shell, release_id, yes=yes, why=why)), moved_view)


async def _promote(shell: Shell, release_id: str, *, yes: bool, why: str) -> dict[str, Any]:
    principal, store = await _permitted(shell, SWITCH, release=release_id), shell.services.releases
    move, release = await store.move(), await store.get(release_id)
    if move.active == release_id and not shell.services.release.last_error:
        raise InputError(f"the release {release_id!r} is active already")
    wider = await _loadable(shell, release, principal, yes=yes)
    switch = Switch(
        kind="promoted",
        active=release_id,
        previous=_proved_active(shell),
        why=why,
        after=move.seq,
        shown={"policies": wider.shown},
    )
    return _moved(await store.switch(switch, principal=principal), wider, release)


def _proved_active(shell: Shell) -> str:
    """What is in force as the audit tells it; empty where the row says something else: that is no way back."""
    try:
        return shell.services.release.move().active
    except StorageError:
        return ""


def rollback(ctx: typer.Context, yes: bool = YES, why: str = WHY) -> None:
    """Go back to what was in force before, as a whole; once more is forward again."""
    shell: Shell = ctx.obj
    shell.show(shell.run(_rollback(shell, yes=yes, why=why)), moved_view)


async def _rollback(shell: Shell, *, yes: bool, why: str) -> dict[str, Any]:
    principal, store = await _permitted(shell, SWITCH), shell.services.releases
    move = shell.services.release.move()  # held against the audit: a row that was edited says no way back
    if not move.active and not move.previous:
        raise InputError("no release was ever in force, so there is nothing to go back from")
    release = await store.get(move.previous) if move.previous else None
    wider = await _loadable(shell, release, principal, yes=yes)
    switch = Switch(
        kind="rolled_back",
        active=move.previous,
        previous=move.active,
        why=why,
        after=move.seq,
        shown={"policies": wider.shown},
    )
    return _moved(await store.switch(switch, principal=principal), wider, release)


def canary(
    ctx: typer.Context,
    release_id: str = typer.Argument(help="The release to try out, or `off`."),
    percent: int = typer.Argument(0, min=0, max=100, help="The share of the cases, chosen by a stable hash."),
    why: str = WHY,
) -> None:
    """Let new reviews of a share of the cases run on a release: its prompts, models and index, not its policies."""
    shell: Shell = ctx.obj
    shell.show(shell.run(_canary(shell, release_id, percent, why)), moved_view)


async def _canary(shell: Shell, release_id: str, percent: int, why: str) -> dict[str, Any]:
    principal, store = await _permitted(shell, SWITCH, release=release_id), shell.services.releases
    move = shell.services.release.move()  # held against the audit: what it says is signed anew
    named = "" if release_id == "off" else release_id
    if bool(named) != bool(percent):
        raise InputError("name a release and a share of 1 to 100 percent, or `off`")
    if named and named == move.active:
        raise InputError(f"the release {named!r} is active already, so there is nothing to try out")
    release = await store.get(named) if named else None
    if release is not None:
        await tried(shell, release, principal)
    switch = Switch(
        kind="canary",
        active=move.active,
        previous=move.previous,
        canary=named,
        percent=percent,
        why=why,
        after=move.seq,
        shown={},
    )
    return _moved(await store.switch(switch, principal=principal), Widening(decisions=0, groups=()), release)


def show(ctx: typer.Context, release_id: str = typer.Argument("", help="Absent: the active one.")) -> None:
    """Show what a release pins, what it was made under, and who let it through."""
    shell: Shell = ctx.obj
    shell.show(shell.run(_show(shell, release_id)), show_view)


async def _show(shell: Shell, release_id: str) -> dict[str, Any]:
    await _permitted(shell, READ)
    store = shell.services.releases
    move = await store.move()
    named = release_id or move.active
    document = release_document(await store.get(named)) if named else {"release": None}
    return document | in_force(move) | {"not_followed": shell.services.release.last_error}


def list_releases(ctx: typer.Context) -> None:
    """List releases, and who switched when and why."""
    shell: Shell = ctx.obj
    shell.show(shell.run(_list(shell)), list_view)


async def _list(shell: Shell) -> dict[str, Any]:
    await _permitted(shell, READ)
    store = shell.services.releases
    found, moves = await store.list(), await store.history()
    return {
        "releases": [release_document(one)["release"] for one in found],
        "moves": [one.model_dump(mode="json") for one in moves],
        **in_force(moves[0] if moves else ReleaseMove()),
        "not_followed": shell.services.release.last_error,
    }


def retire(ctx: typer.Context, release_id: str, why: str = WHY) -> None:
    """Let a release go for good; its index state may be pruned then."""
    shell: Shell = ctx.obj
    shell.show(shell.run(_retire(shell, release_id, why)), show_view)


async def _retire(shell: Shell, release_id: str, why: str) -> dict[str, Any]:
    check_why(why)
    principal, store = await _permitted(shell, SWITCH, release=release_id), shell.services.releases
    found = await store.retire(release_id, principal=principal, why=why)
    return release_document(found) | in_force(await store.move())


async def _permitted(shell: Shell, name: str, **arguments: Any) -> Principal:
    """Who acts, if the policy lets them: the one in force, or the installation's own while that cannot be followed."""
    _mendable(shell)
    principal = shell.principal("authoring")
    reading = name == READ
    deed = Deed(
        name=name, verb="read" if reading else "write", risk="low" if reading else "high", arguments=dict(arguments)
    )
    await permit(shell.services, principal, deed)
    return principal


def _mendable(shell: Shell) -> None:
    try:
        shell.services.release.current()
    except StorageError as error:
        shell.note(f"{error}. Until then the policies in {shell.settings.policies} decide who may mend it")
        shell.services.release.begin_with_own()


async def _loadable(shell: Shell, release: Release | None, principal: Principal, *, yes: bool) -> Widening:
    """What would be newly permitted, if the release can be loaded and somebody says yes to that.

    Raises:
        InputError: it cannot be loaded, or it would permit more and nobody said yes.
    """
    services = shell.services
    try:
        after = await (tried_own(shell, principal) if release is None else tried(shell, release, principal))
    except InputError as error:
        named = release.release_id if release else ""
        await services.releases.note("release.refused", principal, {"release": named, "problems": [str(error)]})
        raise
    return _agreed(shell, await _widening(shell, after), yes=yes)


async def _widening(shell: Shell, after: InForce) -> Widening:
    return await widening(shell, shell.services.release.current(), after)


def _agreed(shell: Shell, wider: Widening, *, yes: bool) -> Widening:
    unread = shell.services.release.last_error
    if not wider.permissive and not unread:
        return wider
    if unread:
        shell.note("what running processes still have in force cannot be read, so the installation's own was compared")
    for line in widening_lines(wider.shown):
        shell.note(line)
    if yes or (sys.stdin.isatty() and not shell.options.as_json and typer.confirm("Put it in force?", err=True)):
        return wider
    told = (
        "what it would newly permit cannot be told"
        if unread
        else f"{wider.permissive} decisions would let through more"
    )
    raise InputError(f"{told}; look at the lines above, then repeat with --yes. Nothing changed")


def _moved(move: ReleaseMove, wider: Widening, release: Release | None) -> dict[str, Any]:
    document = release_document(release) if release is not None else {"release": None}
    return document | in_force(move) | {"kind": move.kind, "by": move.subject, "policies": wider.shown}
