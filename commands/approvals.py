"""`casewright approvals`: the queue, one approval as it will execute, and the votes.

What is shown are the canonical arguments from the ledger; prose of a model is never among them.
"""

import json
from typing import Any

import typer
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from casewright.contracts.approval import Approval
from casewright.errors import ConflictError
from casewright.services import Services
from commands.orchestrator import build_gateway, build_runner
from commands.permission import TERMINAL, say_watermark
from commands.shell import Shell
from commands.tables import listing, minute, money, stacked
from servers.approving import Approving, ReadApproval, approval_document, notice_document


def build() -> typer.Typer:
    """The subcommands."""
    app = typer.Typer(help="See and decide what waits for approval.", no_args_is_help=True)
    app.command("list")(list_approvals)
    app.command("show")(show)
    app.command("approve")(approve)
    app.command("reject")(reject)
    app.command("revoke")(revoke)
    app.command("assign")(assign)
    app.command("notices")(notices)
    return app


def list_approvals(
    ctx: typer.Context,
    everything: bool = typer.Option(False, "--all", help="Also what is decided, used, revoked or expired."),
) -> None:
    """List approvals, pending ones unless --all."""
    shell: Shell = ctx.obj
    document = shell.run(_list(shell, everything))
    shell.show(document, _list_view)


async def _list(shell: Shell, everything: bool) -> dict[str, Any]:
    found = await _approving(shell).queue(state=None if everything else "pending")
    return {"approvals": [_shown(item) for item in found]}


def _approving(shell: Shell) -> Approving:
    return Approving(shell.services, shell.principal("review"), session=TERMINAL)


def _shown(item: ReadApproval) -> dict[str, Any]:
    say_watermark(item.watermark)
    return approval_document(item.approval)


def show(ctx: typer.Context, approval_id: str = typer.Argument(help="Approval id.")) -> None:
    """Show exactly what will be executed, and who may approve it."""
    shell: Shell = ctx.obj
    document = shell.run(_show(shell, approval_id))
    shell.show(document, approval_view)


async def _show(shell: Shell, approval_id: str) -> dict[str, Any]:
    return _shown(await _approving(shell).read(approval_id))


def approve(
    ctx: typer.Context,
    approval_id: str = typer.Argument(help="Approval id."),
    note: str = typer.Option("", help="Why, for the record."),
    resume: bool = typer.Option(True, help="Let the waiting run go on once the quorum is there."),
) -> None:
    """Approve exactly this action. The requester cannot."""
    _decide(ctx.obj, approval_id, approve=True, note=note, resume=resume)


def reject(
    ctx: typer.Context,
    approval_id: str = typer.Argument(help="Approval id."),
    note: str = typer.Option("", help="Why, for the record."),
    resume: bool = typer.Option(True, help="Let the waiting run end."),
) -> None:
    """Reject this action; one rejection ends it."""
    _decide(ctx.obj, approval_id, approve=False, note=note, resume=resume)


def _decide(shell: Shell, approval_id: str, *, approve: bool, note: str, resume: bool) -> None:
    document = shell.run(vote(shell, approval_id, approve=approve, note=note, resume=resume))
    shell.show(document, approval_view)


async def vote(shell: Shell, approval_id: str, *, approve: bool, note: str, resume: bool) -> dict[str, Any]:
    """Count the acting person's vote, then let a run that waited for it go on."""
    voted = await _approving(shell).vote(approval_id, approve=approve, note=note)
    document = approval_document(voted)
    if resume and voted.state != "pending" and voted.requested_agent:
        document |= await _wake(shell.services, voted)
    return document


async def _wake(services: Services, voted: Approval) -> dict[str, Any]:
    """Let the run that waited go on; the vote is counted whatever becomes of that."""
    try:
        async with build_gateway(services) as gateway:
            report = await build_runner(services, gateway).resume(voted.call.tenant, voted.run_id)
    except ConflictError as error:
        return {"run": {"run_id": voted.run_id, "status": "running", "because": str(error)}, "receipt": None}
    run = {"run_id": report.run_id, "status": report.status, "because": report.because}
    return {"run": run, "receipt": report.receipt}


def revoke(
    ctx: typer.Context,
    approval_id: str = typer.Argument(help="Approval id."),
    why: str = typer.Option(..., "--why", help="Why, for the record."),
    resume: bool = typer.Option(True, help="Let the waiting run end."),
) -> None:
    """Take an approval back for good, before it was used: who asked for it may, and who could reject it."""
    shell: Shell = ctx.obj
    shell.show(shell.run(_revoke(shell, approval_id, why=why, resume=resume)), approval_view)


async def _revoke(shell: Shell, approval_id: str, *, why: str, resume: bool) -> dict[str, Any]:
    revoked = await _approving(shell).revoke(approval_id, why=why)
    document = approval_document(revoked)
    if resume and revoked.requested_agent:
        document |= await _wake(shell.services, revoked)
    return document


def assign(
    ctx: typer.Context,
    approval_id: str = typer.Argument(help="Approval id."),
    person: str = typer.Argument(help="Id of the person who is expected to vote."),
) -> None:
    """Say who is expected to vote, never the requester. It gives and takes no vote."""
    shell: Shell = ctx.obj
    shell.show(shell.run(_assign(shell, approval_id, person)), approval_view)


async def _assign(shell: Shell, approval_id: str, person: str) -> dict[str, Any]:
    return approval_document(await _approving(shell).assign(approval_id, person))


def notices(ctx: typer.Context) -> None:
    """Show what you, or the people of your role, were told of approvals."""
    shell: Shell = ctx.obj
    shell.show(shell.run(_notices(shell)), _notices_view)


async def _notices(shell: Shell) -> dict[str, Any]:
    return {"notices": [notice_document(notice) for notice in await _approving(shell).notices()]}


def _list_view(document: dict[str, Any]) -> Table:
    rows: list[tuple[RenderableType, ...]] = []
    for item in document["approvals"]:
        arguments = item["call"]["arguments"]
        amount = money(int(arguments.get("amount_minor", 0)), str(arguments.get("currency", "")))
        needs = f"{item['remaining']} of {item['quorum']}"
        waits_for = f"asked: {item['assignee']}" if item["assignee"] else ""
        rows.append(
            (
                stacked(item["approval_id"], item["case_id"]),
                stacked(item["state"], f"until {item['expires'][:10]}"),
                stacked(str(arguments.get("action", "")), amount),
                stacked(needs, " or ".join(item["roles"]), f"not {item['requested_by']}", waits_for),
            )
        )
    ids = [item["approval_id"] for item in document["approvals"]]
    return listing("Approvals", ("approval, case", "state", "action", "needs"), rows, ids=ids)


def _notices_view(document: dict[str, Any]) -> Table:
    rows: list[tuple[RenderableType, ...]] = [
        (stacked(item["approval_id"], item["case_id"]), item["text"], minute(item["at"]), item["to"])
        for item in document["notices"]
    ]
    ids = [item["approval_id"] for item in document["notices"]]
    return listing("Notices", ("approval, case", "what", "when", "to"), rows, ids=ids)


def approval_view(document: dict[str, Any]) -> RenderableType:
    """One approval for people: the canonical call, who is needed, who voted, what came of it."""
    call = document["call"]
    arguments = json.dumps(call["arguments"], indent=2, ensure_ascii=False)
    head = (
        f"{call['server']} / {call['tool']} on case {document['case_id']}\n{arguments}\n"
        f"digest\n{document['digest']}\npolicy revision\n{call['policy_revision']}"
    )
    title = Text(f"exactly this will execute: {document['approval_id']}")
    parts: list[RenderableType] = [Panel(Text(head, overflow="fold"), title=title), Text(_needs(document))]
    for vote in document["votes"]:
        decided = "approves" if vote["approve"] else "rejects"
        parts.append(Text(f"{vote['voter']} {decided}" + (f": {vote['note']}" if vote["note"] else "")))
    if document.get("run"):
        run = document["run"]
        parts.append(Text(f"run {run['run_id']}: {run['status']} — {run['because']}", style="bold"))
    if document.get("receipt"):
        parts.append(Text(f"executed once: effect {document['receipt']['effect_id']}", style="green"))
    return Group(*parts)


def _needs(document: dict[str, Any]) -> str:
    if document["state"] != "pending":
        return f"{document['state']}; asked for by {document['requested_by']}"
    return (
        f"pending: {document['remaining']} of {document['quorum']} approval(s) by {' or '.join(document['roles'])} "
        f"still needed, not by {document['requested_by']}; until {minute(document['expires'])}"
        + (f"; {document['assignee']} is asked to vote" if document["assignee"] else "")
    )
