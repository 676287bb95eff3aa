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

from casewright.clock import iso
from casewright.contracts.approval import Approval
from casewright.contracts.decision import ResourceInput
from casewright.errors import ConflictError, DeniedError
from casewright.services import Services
from commands.orchestrator import build_gateway, build_runner
from commands.permission import permit
from commands.shell import Shell
from commands.tables import listing, minute, money, stacked
from servers.permission import Deed
from servers.resources import load_case


def build() -> typer.Typer:
    """The subcommands."""
    app = typer.Typer(help="See and decide what waits for approval.", no_args_is_help=True)
    app.command("list")(list_approvals)
    app.command("show")(show)
    app.command("approve")(approve)
    app.command("reject")(reject)
    app.command("revoke")(revoke)
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
    principal = shell.principal("review")
    await shell.services.approvals.expire_due()
    found = await shell.services.approvals.list(principal.tenant, state=None if everything else "pending")
    readable = [approval for approval in found if await _may_read(shell, approval)]
    return {"approvals": [_document(approval) for approval in readable]}


async def _may_read(shell: Shell, approval: Approval) -> bool:
    try:
        await _check_readable(shell, approval)
    except DeniedError:
        return False
    return True


async def _check_readable(shell: Shell, approval: Approval) -> None:
    """An approval shows case data, so its case must be readable."""
    principal = shell.acting("review")
    case_id = approval.call.case_id
    case = await load_case(shell.services, principal.tenant, case_id)
    await permit(shell.services, principal, Deed(name="read_run", verb="read", resource=case, case_id=case_id))


def show(ctx: typer.Context, approval_id: str = typer.Argument(help="Approval id.")) -> None:
    """Show exactly what will be executed, and who may approve it."""
    shell: Shell = ctx.obj
    document = shell.run(_show(shell, approval_id))
    shell.show(document, approval_view)


async def _show(shell: Shell, approval_id: str) -> dict[str, Any]:
    approval = await shell.services.approvals.get(shell.principal("review").tenant, approval_id)
    await _check_readable(shell, approval)
    return _document(approval)


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
    services, principal = shell.services, shell.principal("review")
    approval = await services.approvals.get(principal.tenant, approval_id)
    case = await load_case(services, principal.tenant, approval.call.case_id)
    await permit(services, principal, _deed("vote_approval", approval, case))
    voted = await services.approvals.vote(approval_id, voter=principal, approve=approve, note=note)
    document = _document(voted)
    if resume and voted.state != "pending" and voted.requested_agent:
        document |= await _wake(services, voted)
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
    services, principal = shell.services, shell.principal("review")
    approval = await services.approvals.get(principal.tenant, approval_id)
    case = await load_case(services, principal.tenant, approval.call.case_id)
    await permit(services, principal, _deed("revoke_approval", approval, case))
    revoked = await services.approvals.revoke(approval_id, by=principal, why=why)
    document = _document(revoked)
    if resume and revoked.requested_agent:
        document |= await _wake(services, revoked)
    return document


def _deed(name: str, approval: Approval, case: ResourceInput) -> Deed:
    arguments = approval.call.arguments
    resource = case.model_copy(
        update={
            "kind": "action",
            "author": approval.requested_by,
            "run_id": approval.run_id,
            "action": str(arguments.get("action", "")),
            "amount_minor": int(arguments.get("amount_minor", 0)),
        }
    )
    return Deed(
        name=name,
        verb="write",
        risk="high",
        resource=resource,
        case_id=approval.call.case_id,
        arguments={"approval_id": approval.approval_id},
    )


def _document(approval: Approval) -> dict[str, Any]:
    return {
        "approval_id": approval.approval_id,
        "state": approval.state,
        "remaining": approval.remaining,
        "votes": [vote.model_dump(mode="json") for vote in approval.votes],
        "case_id": approval.call.case_id,
        "run_id": approval.run_id,
        "requested_by": approval.requested_by,
        "requested_agent": approval.requested_agent,
        "roles": list(approval.rule.roles),
        "quorum": approval.rule.quorum,
        "expires": iso(approval.expires_ns),
        "digest": approval.digest,
        "call": approval.call.model_dump(mode="json"),
    }


def _list_view(document: dict[str, Any]) -> Table:
    rows: list[tuple[RenderableType, ...]] = []
    for item in document["approvals"]:
        arguments = item["call"]["arguments"]
        amount = money(int(arguments.get("amount_minor", 0)), str(arguments.get("currency", "")))
        needs = f"{item['remaining']} of {item['quorum']}"
        rows.append(
            (
                stacked(item["approval_id"], item["case_id"]),
                stacked(item["state"], f"until {item['expires'][:10]}"),
                stacked(str(arguments.get("action", "")), amount),
                stacked(needs, " or ".join(item["roles"]), f"not {item['requested_by']}"),
            )
        )
    ids = [item["approval_id"] for item in document["approvals"]]
    return listing("Approvals", ("approval, case", "state", "action", "needs"), rows, ids=ids)


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
    )
