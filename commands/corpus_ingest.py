"""What `casewright corpus ingest` does: decide, read with a progress bar, record; once or on every change."""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from casewright.audit.entry import AuditEntry
from casewright.clock import iso
from casewright.contracts.decision import ResourceInput
from casewright.contracts.principal import Principal
from casewright.corpus.corpus import IngestProgress, IngestReport
from casewright.corpus.manifest import Submission
from casewright.errors import DeniedError, InputError
from commands.permission import permit
from commands.shell import Shell, stopping_at_once
from commands.tables import new_table
from servers.permission import Deed

WATCH_DEBOUNCE_MS = 500
WATCH_TIMEOUT_MS = 300
_SHOWN_UNRESOLVED = 5


def corpus_of(principal: Principal) -> ResourceInput:
    """The tenant's corpus as what a decision is about."""
    return ResourceInput(kind="corpus", exists=True, tenant=principal.tenant, classification="public")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the command was asked for."""

    paths: list[Path]
    prune: bool
    retry: bool
    stage: bool
    propose: bool
    """Whether another person is to approve, although this one may."""


async def ingested(shell: Shell, wish: Wish) -> IngestReport:
    """Ingest once.

    Raises:
        DeniedError: the policy says no.
        InputError: nothing to ingest.
    """
    principal = shell.principal("authoring")
    arguments = {"paths": len(wish.paths), "prune": wish.prune, "retry": wish.retry, "stage": wish.stage}
    corpus = corpus_of(principal)
    await permit(
        shell.services,
        principal,
        Deed(name="ingest_corpus", verb="write", risk="medium", resource=corpus, arguments=arguments),
    )
    paths = [*wish.paths, *(_to_retry(shell, principal) if wish.retry else ())]
    submission = await _submission(shell, principal, corpus, propose=wish.propose)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=shell.messages, transient=True) as bar:
        task = bar.add_task("reading", total=None)

        def progress(step: IngestProgress) -> None:
            bar.update(task, description=step.stage, completed=step.done, total=step.total)

        with stopping_at_once():
            report = shell.services.corpus.ingest(
                paths,
                tenant=principal.tenant,
                submission=submission,
                prune=wish.prune,
                stage=wish.stage,
                progress=progress,
            )
    body: dict[str, Any] = {
        "ingested": report.ingested,
        "unchanged": report.unchanged,
        "quarantined": len(report.quarantined),
        "withdrawn": list(report.withdrawn),
        "clauses": report.clauses,
        "unresolved_references": report.unresolved_references,
        "approval": "approved" if submission.approved else "pending",
        "index_version": report.index_version,
        "staged": wish.stage,
    }
    entry = AuditEntry(kind="corpus.ingested", tenant=principal.tenant, subject=principal.id, body=body)
    await shell.services.audit.append(entry)
    note_release(shell)
    return report


def note_release(shell: Shell) -> None:
    """Say it where a release answers from another state than the active one of the index folder."""
    found = shell.services.release.current()
    if found.release_id:
        shell.note(f"{found.release_id} is in force and answers from {found.index_version} until another is promoted")


async def watched(shell: Shell, wish: Wish) -> None:
    """Ingest now and again on every change, until Ctrl-C; each time with its own decision and record.

    Raises:
        InputError: a folder to watch is missing.
    """
    if not wish.paths or wish.retry or wish.stage:
        raise InputError("--watch takes folders to watch, and neither --retry nor --stage")
    for folder in wish.paths:
        if not folder.is_dir():
            raise InputError(f"{str(folder)!r} is not a folder; name a folder to watch")
    changes = import_module("watchfiles").awatch(
        *wish.paths, debounce=WATCH_DEBOUNCE_MS, yield_on_timeout=True, rust_timeout=WATCH_TIMEOUT_MS
    )
    await anext(changes)  # from here on no change is missed, so what is there already can be read
    await _again(shell, wish)
    async for changed in changes:
        if changed:
            await _again(shell, wish)


async def _again(shell: Shell, wish: Wish) -> None:
    try:
        report = await ingested(shell, wish)
    except InputError as error:
        shell.note(str(error))  # a folder may be empty for a while
        return
    shell.show(report.model_dump(mode="json"), report_view)


async def _submission(shell: Shell, principal: Principal, corpus: ResourceInput, *, propose: bool) -> Submission:
    """Approved where the policy lets this person approve documents and they do; else another person has to."""
    approved = not propose
    try:
        deed = Deed(name="approve_document", verb="write", risk="medium", resource=corpus)
        if approved:
            await permit(shell.services, principal, deed)
    except DeniedError:
        approved = False
    return Submission(by=principal.id, at=iso(shell.services.clock.now_ns()), approved=approved)


def _to_retry(shell: Shell, principal: Principal) -> list[Path]:
    listed = [Path(item.path) for item in shell.services.corpus.quarantine(principal.tenant)]
    found = [path for path in listed if path.exists()]
    if not found:
        raise InputError("no file in quarantine is still there; `casewright corpus quarantine` lists them")
    return found


def report_view(report: dict[str, Any]) -> Table:
    """The report for people."""
    counts = f"{report['ingested']} ingested, {report['unchanged']} unchanged, {len(report['quarantined'])} quarantined"
    if report["pending"]:
        counts += f"; {report['pending']} wait for `casewright corpus approve` by another person"
    table = new_table(counts, "file", "what happened")
    for item in report["quarantined"]:
        table.add_row(Text(item["path"], style="red"), item["reason"])
    for name in report["withdrawn"]:
        table.add_row(Text(name), "withdrawn, since its file is gone")
    for item in report["unresolved"][:_SHOWN_UNRESOLVED]:
        named = f"{item['text']} of {item['document']}" if item["document"] else item["text"]
        table.add_row(f"{item['document_id']} {item['version']}, {item['label']}", f"refers to {named}: not found")
    if (more := report["unresolved_references"] - _SHOWN_UNRESOLVED) > 0:
        table.add_row("", f"and {more} more references that lead to nothing here; --json lists them")
    table.show_header = bool(table.row_count)
    rate = f", {report['clauses'] / report['seconds']:.0f} a second" if report["clauses"] and report["seconds"] else ""
    table.caption = f"{report['clauses']} clauses in {report['seconds']:.1f} s{rate}, index {report['index_version']}"
    table.caption_justify = "left"
    return table
