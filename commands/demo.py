"""`casewright demo`: a review with the real parts, from an empty folder to a recorded effect.

It works in a temporary data folder unless --home names one, and runs the same code as the other
commands: three servers, Rego, the graph, the ledger and the outbox.
"""

import sys
import tempfile
import time
from typing import Any

import typer
from rich.rule import Rule
from rich.text import Text

from casewright.contracts.run import RunReport
from casewright.errors import DeniedError, IncompleteError
from commands.approvals import approval_view, vote
from commands.initialise import set_up
from commands.options import GlobalOptions
from commands.review import report_document, report_document_view, start
from commands.shell import Shell, plain_console
from commands.visible import visible, visible_text

CASE = "HL-2026-0001"
REVIEWER = "rosa"


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("demo")(demo)


def demo(ctx: typer.Context, case: str = typer.Option(CASE, help="A case of the sample organisation.")) -> None:
    """Review a sample case, approve it as a second person, and show the recorded effect."""
    shell: Shell = ctx.obj
    if shell.options.home:
        document = _play(shell.options.home, case, shell)
    else:
        with tempfile.TemporaryDirectory(prefix="casewright-demo-") as folder:
            document = _play(folder, case, shell)
    if shell.options.as_json:
        shell.show(document, lambda _shown: "")


def _play(home: str, case_id: str, shell: Shell) -> dict[str, Any]:
    stage = _Stage(home, shell)
    set_up_seconds = stage.set_up()
    began = time.perf_counter()
    report = stage.review(case_id)
    review_seconds = time.perf_counter() - began
    if not report.pending:
        raise IncompleteError(f"the review of {case_id!r} ended as {report.status!r}: {report.because}")
    refusal = stage.refused_to_requester(report)
    decided = stage.approve(report)
    verified = stage.verify_audit()
    stage.say(
        f"set-up {set_up_seconds:.1f} s, review {review_seconds:.2f} s; audit: {verified['events']} events, "
        f"{'intact' if verified['ok'] else 'BROKEN'}. Try it yourself: casewright init; casewright review {case_id}"
    )
    return {
        "case_id": case_id,
        "report": report_document(report),
        "refused_to_requester": refusal,
        "decision": decided,
        "audit": verified,
        "seconds": {"set_up": round(set_up_seconds, 2), "review": round(review_seconds, 2)},
    }


class _Stage:
    """The acts of the demo, each as the person who would do it."""

    def __init__(self, home: str, shell: Shell) -> None:
        self._home = home
        self._quiet = shell.options.as_json
        self._out = plain_console(sys.stderr if self._quiet else sys.stdout, quiet=self._quiet)

    def say(self, text: str) -> None:
        self._out.print(visible_text(text))

    def set_up(self) -> float:
        began = time.perf_counter()
        self._act("1. An empty folder becomes a working installation")
        shell = self._as(None)
        document = shell.run(set_up(shell, sample=True))
        self.say(f"{document['documents']} documents, {document['clauses']} clauses, {document['cases']} cases")
        return time.perf_counter() - began

    def review(self, case_id: str) -> RunReport:
        self._act(f"2. {REVIEWER}, a reviewer, has case {case_id} reviewed")
        shell = self._as(REVIEWER)
        report = shell.run(start(shell, case_id))
        self._out.print(report_document_view(visible(report_document(report))))
        return report

    def refused_to_requester(self, report: RunReport) -> str:
        self._act(f"3. {REVIEWER} tries to approve it alone")
        shell = self._as(REVIEWER)
        try:
            shell.run(vote(shell, report.pending[0].approval_id, approve=True, note="", resume=False))
        except DeniedError as error:
            self.say(f"refused: {error}")
            return str(error)
        raise IncompleteError("the requester could approve an own request; this must not happen")

    def approve(self, report: RunReport) -> dict[str, Any]:
        pending = report.pending[0]
        people = self._approvers(report)
        self._act(f"4. Who may: {', '.join(people)}. {pending.quorum} needed")
        document: dict[str, Any] = {}
        for name in people[: pending.quorum]:
            shell = self._as(name)
            document = shell.run(vote(shell, pending.approval_id, approve=True, note=f"read by {name}", resume=True))
            self._out.print(approval_view(visible(document)))
        return document

    def verify_audit(self) -> dict[str, Any]:
        self._act("5. The audit chain, recomputed")
        shell = self._as(None)
        found = shell.run(shell.services.audit.verify())
        return {"ok": found.ok, "events": found.events, "head": f"{found.head[0]}:{found.head[1]}"}

    def _approvers(self, report: RunReport) -> list[str]:
        services = self._as(None).services
        tenant = services.identities.find(REVIEWER).tenant
        roles = set(report.pending[0].roles)
        return [
            person.id
            for person in services.identities.people
            if person.tenant == tenant and roles & set(person.roles) and person.id != REVIEWER
        ]

    def _as(self, identity: str | None) -> Shell:
        return Shell(GlobalOptions(home=self._home, identity=identity, as_json=self._quiet))

    def _act(self, title: str) -> None:
        self._out.print(Rule(Text(visible_text(title)), align="left", style="bold"))
