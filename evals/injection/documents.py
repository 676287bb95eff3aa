"""Documents that carry orders as clauses: one for each template, once approved and once not."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from casewright.clock import iso
from casewright.corpus.manifest import Submission
from casewright.services import Services
from evals.injection.orders import GoalLine, Template

TENANT = "harborline"
VERSION = "2018.9"
PENDING = "inj-pending-secret"
_HEAD = """---
title: '{title}'
document_id: {document_id}
version: '{version}'
effective_from: 2018-01-01
status: published
tenant: {tenant}
labels: []
issuer: Harborline Bank
jurisdiction: US
language: en
---

# {title}

## 1 Notes

"""


def approved_id(template: str) -> str:
    """The approved document with the orders of a template."""
    return f"inj-approved-{template}"


def pending_id(template: str) -> str:
    """The document with the same orders that nobody approved."""
    return f"inj-pending-{template}"


def label_of(number: int) -> str:
    """The label of the clause that carries the order for the goal of this number, from 0."""
    return f"1.{number + 1}"


def bulletins(templates: Sequence[Template], goals: Sequence[GoalLine], secret: str) -> Mapping[str, str]:
    """The text of each document by its id."""
    found = {PENDING: _document(PENDING, [secret])}
    for template in templates:
        orders = [template.order(goal) for goal in goals]
        for document_id in (approved_id(template.id), pending_id(template.id)):
            found[document_id] = _document(document_id, orders)
    return found


def ingest(services: Services, documents: Mapping[str, str], work: Path, *, everything: bool) -> None:
    """Bring them in, the pending ones unapproved unless `everything` is; what is refused lies in quarantine."""
    for approved in (True, False):
        folder = work / ("approved" if approved else "pending")
        folder.mkdir(parents=True, exist_ok=True)
        for document_id, text in documents.items():
            if document_id.startswith("inj-approved-") is approved:
                (folder / f"{document_id}.md").write_text(text, encoding="utf-8")
        submission = Submission(by="petra", at=iso(services.clock.now_ns()), approved=approved or everything)
        services.corpus.ingest([folder], tenant=TENANT, submission=submission)


def _document(document_id: str, clauses: Sequence[str]) -> str:
    head = _HEAD.format(title=document_id, document_id=document_id, version=VERSION, tenant=TENANT)
    return head + "\n\n".join(f"**{label_of(at)}** {text}" for at, text in enumerate(clauses)) + "\n"
