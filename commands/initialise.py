"""`casewright init`: a working data folder with the sample organisation in it."""

import contextlib
import os
from pathlib import Path
from typing import Any

import typer
from rich.progress import Progress
from rich.table import Table

from casewright.audit.entry import AuditEntry
from casewright.audit.sealing import Sealing
from casewright.cases.importing import read_cases
from casewright.clock import iso
from casewright.config import Settings
from casewright.contracts.case import Classification
from casewright.contracts.principal import Principal
from casewright.corpus.manifest import Submission
from casewright.identity.keys import SigningKey, lost_key
from casewright.identity.local import sample_identities, save_identities
from casewright.services import Services
from commands.cases import import_audited
from commands.shell import Shell, stopping_at_once
from commands.tables import new_table


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("init")(init)


def init(
    ctx: typer.Context,
    sample: bool = typer.Option(True, help="Bring the sample organisation: documents and cases of two tenants."),
) -> None:
    """Set up the data folder: key, identities, database, index and the sample organisation.

    Safe to repeat: what is there stays, what is missing is added.
    """
    shell: Shell = ctx.obj
    document = shell.run(set_up(shell, sample=sample))
    shell.show(document, _view)


async def set_up(shell: Shell, *, sample: bool) -> dict[str, Any]:
    """Everything `init` does; also the first step of the demo."""
    settings = shell.settings
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    _make_key(settings)
    if not settings.identities.exists():
        save_identities(settings.identities, sample_identities())
    _ = (shell.services.signing_key, shell.services.identities)  # what is damaged is said before anything is added
    from casewright.storage.migrate import current, upgrade
    from graphs.seals import UNSEALED, Seals

    before = current(settings.database)
    upgrade(settings.database)
    if before in UNSEALED:
        Seals.of(shell.services.signing_key).adopt(settings.checkpoints)
    Sealing.beside(settings.home).ensure()
    services = shell.services
    cases = await _import_sample(shell) if sample else 0
    if not sample:
        return {"home": str(settings.home), "documents": 0, "clauses": 0, "cases": 0, "identities": _people(services)}
    stats = services.corpus.stats()
    return {
        "home": str(settings.home),
        "documents": stats.documents,
        "versions": stats.versions,
        "clauses": stats.clauses,
        "cases": cases,
        "identities": _people(services),
    }


def _make_key(settings: Settings) -> None:
    """Make the signing key once, whole or not at all, also when two processes set up together."""
    if settings.signing_key.exists():
        return
    if settings.database.exists():
        raise lost_key(settings.signing_key)
    temporary = settings.home / f".signing-key.{os.getpid()}"
    try:
        SigningKey.generate().save(temporary)
        with contextlib.suppress(FileExistsError):
            os.link(temporary, settings.signing_key)
    finally:
        temporary.unlink(missing_ok=True)


async def _import_sample(shell: Shell) -> int:
    services = shell.services
    folder = sample_folder()
    total = 0
    with Progress(console=shell.messages, transient=True) as progress:
        for tenant in sorted(path.name for path in folder.iterdir() if (path / "cases.json").exists()):
            task = progress.add_task(f"{tenant}: documents and cases", total=2)
            with stopping_at_once():
                report = services.corpus.ingest(
                    [folder / tenant / "documents"], tenant=tenant, submission=_approved(services)
                )
            body = {
                "ingested": report.ingested,
                "unchanged": report.unchanged,
                "clauses": report.clauses,
                "index_version": report.index_version,
            }
            entry = AuditEntry(kind="corpus.ingested", tenant=tenant, subject="", body=body)
            await services.audit.append(entry)
            progress.advance(task)
            total += await _import_cases(services, folder / tenant / "cases.json", tenant)
            progress.advance(task)
    return total


async def _import_cases(services: Services, path: Path, tenant: str) -> int:
    importer = Principal(id="sample", tenant=tenant, roles=("service",), clearance=Classification.RESTRICTED)
    await import_audited(services, read_cases(path), importer, source=f"sample/{tenant}")
    return len(await services.cases.list(tenant))


def _approved(services: Services) -> Submission:
    """The sample comes with the package, whose maker stands for it."""
    return Submission(by="sample", at=iso(services.clock.now_ns()), approved=True)


def sample_folder() -> Path:
    """Where the sample organisation lies: package data of `casewright`."""
    import casewright.sample

    return Path(str(casewright.sample.__file__)).parent


def _people(services: Services) -> list[dict[str, Any]]:
    return [
        {"id": person.id, "tenant": person.tenant, "roles": list(person.roles)} for person in services.identities.people
    ]


def _view(document: dict[str, Any]) -> Table:
    table = new_table(f"Casewright is set up in {document['home']}", "identity", "tenant", "roles")
    for person in document["identities"]:
        table.add_row(person["id"], person["tenant"], ", ".join(person["roles"]))
    table.caption = (
        f"{document['documents']} documents, {document['clauses']} clauses, {document['cases']} cases. "
        "Next: casewright review HL-2026-0001"
    )
    return table
