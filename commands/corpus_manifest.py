"""`casewright corpus manifest`, `approve` and `quarantine`: how documents came in, and who stands for them."""

from typing import Any

import typer
from rich.table import Table

from casewright.audit.entry import AuditEntry
from casewright.clock import iso
from casewright.corpus.manifest import Approver, Manifest, ManifestEntry
from casewright.drafts.characters import hidden_characters
from casewright.errors import InputError
from commands.corpus_ingest import corpus_of
from commands.permission import permit
from commands.shell import Shell
from commands.tables import new_table, stacked
from servers.permission import Deed

MAX_REASON = 1_000


def manifest(
    ctx: typer.Context,
    pending: bool = typer.Option(False, "--pending", help="Only what waits for approval."),
) -> None:
    """List who ingested and who approved each document version, with its file, parser and hash."""
    shell: Shell = ctx.obj
    found = shell.run(_manifest(shell))
    entries = [entry for entry in found.entries if not pending or entry.approval == "pending"]
    document = {"index_version": found.index_version, "entries": [entry.model_dump(mode="json") for entry in entries]}
    shell.show(document, _manifest_view)


async def _manifest(shell: Shell) -> Manifest:
    principal = shell.principal("authoring")
    await permit(shell.services, principal, Deed(name="read_manifest", verb="read", resource=corpus_of(principal)))
    return shell.services.corpus.manifest(principal.tenant)


def approve(
    ctx: typer.Context,
    document_id: str = typer.Argument(help="The document."),
    version: str = typer.Argument(help="Its version."),
    reason: str = typer.Option(..., "--reason", help="Why it may be relied on; goes to the audit."),
) -> None:
    """Let a pending document version be searched; never by the person who ingested it."""
    shell: Shell = ctx.obj
    entry = shell.run(_approve(shell, document_id, version, reason))
    shell.show(entry.model_dump(mode="json"), lambda entry: _manifest_view({"index_version": "", "entries": [entry]}))


async def _approve(shell: Shell, document_id: str, version: str, reason: str) -> ManifestEntry:
    if not reason.strip() or len(reason) > MAX_REASON or hidden_characters(reason):
        raise InputError(f"the reason {reason[:60]!r} is empty, too long or holds hidden characters; write a sentence")
    principal = shell.principal("authoring")
    arguments = {"document_id": document_id, "version": version}
    corpus = corpus_of(principal)
    deed = Deed(name="approve_document", verb="write", risk="medium", resource=corpus, arguments=arguments)
    await permit(shell.services, principal, deed)
    approver = Approver(by=principal.id, at=iso(shell.services.clock.now_ns()))
    entry = shell.services.corpus.approve(principal.tenant, document_id=document_id, version=version, approver=approver)
    body = {**arguments, "reason": reason, "ingested_by": entry.ingested_by, "sha256": entry.document.sha256}
    event = AuditEntry(kind="corpus.approved", tenant=principal.tenant, subject=principal.id, body=body)
    await shell.services.audit.append(event)
    return entry


def quarantine(ctx: typer.Context) -> None:
    """List the files that could not be read, with the reasons; `corpus ingest --retry` reads them again."""
    shell: Shell = ctx.obj
    shell.show(shell.run(_quarantine(shell)), _quarantine_view)


async def _quarantine(shell: Shell) -> dict[str, Any]:
    principal = shell.principal("authoring")
    await permit(shell.services, principal, Deed(name="read_manifest", verb="read", resource=corpus_of(principal)))
    return {"files": [item.model_dump(mode="json") for item in shell.services.corpus.quarantine(principal.tenant)]}


def _quarantine_view(document: dict[str, Any]) -> Table:
    table = new_table(f"{len(document['files'])} in quarantine", "file", "reason")
    for item in document["files"]:
        table.add_row(item["path"], item["reason"])
    return table


def _manifest_view(document: dict[str, Any]) -> Table:
    state = f", index {document['index_version']}" if document["index_version"] else ""
    table = new_table(f"Manifest{state}", "document", "approval", "ingested", "file")
    for entry in document["entries"]:
        about = entry["document"]
        by = f"by {entry['approved_by']}" if entry["approved_by"] else ""
        table.add_row(
            stacked(about["document_id"], about["version"]),
            stacked(entry["approval"], by),
            stacked(entry["ingested_by"], entry["ingested_at"]),
            stacked(entry["source"], entry["parser"], about["sha256"][:16]),
        )
    return table
