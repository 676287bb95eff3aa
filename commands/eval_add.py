"""`casewright eval add`: makes a case of an evaluation out of a run, of feedback on one, or of the review of a failure.

Whoever adds it may read the run, and of its case goes in what they may see. What points to a person is left out of the
case (`evals.production.pseudonyms`) or replaced in texts; a case whose rules give another outcome without it is
refused, since it would prove something else.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import typer
from rich.text import Text

from casewright.canonical import digest
from casewright.config import app_root
from casewright.contracts.case import Classification
from casewright.contracts.feedback import Feedback, JudgedAnswer
from casewright.errors import ConflictError, InputError, NotFoundError
from commands.option_groups import taking
from commands.orchestrator import build_records
from commands.permission import TERMINAL
from commands.shell import Shell
from graphs.records import RunRow
from servers.permission import Permission
from servers.readable import READ, permit_on_run

if TYPE_CHECKING:  # the suites are loaded when a case is made
    from evals.production.cases import Origin, ProductionCase, ProductionExpected
    from evals.production.incident import FailureReview

_FORM = (
    "it has to be checkable: say --expect-action, --expect-amount, --expect-answered, --cites, --cites-not or --says"
)


@dataclass(frozen=True, kw_only=True)
class AddOptions:
    """What was asked for."""

    from_run: str = typer.Option("", "--from-run", help="A run whose answer is judged here.")
    from_feedback: str = typer.Option("", "--from-feedback", help="What somebody said of a run.")
    from_incident: Path | None = typer.Option(
        None, "--from-incident", help="A failure review: a copy of docs/evals/failure-review.md, filled in."
    )
    check: bool = typer.Option(False, "--check", help="Add nothing: 2 unless the failure review names its case.")
    why: str = typer.Option("", "--why", help="Why the case exists: the risk, the defect or the request behind it.")
    said: str = typer.Option("", "--said", help="What is right, in words, for people.")
    action: str = typer.Option("", "--expect-action", help="The right action of a review.")
    amount: int | None = typer.Option(None, "--expect-amount", help="The right amount, in minor units.")
    answered: Literal["", "yes", "no"] = typer.Option("", "--expect-answered", help="Whether a question is answered.")
    cites: list[str] = typer.Option([], "--cites", help="'document label' that has to be cited; several times.")
    cites_not: list[str] = typer.Option([], "--cites-not", help="What must not be cited.")
    says: list[str] = typer.Option([], "--says", help="Words that the answer has to hold.")
    file: Path | None = typer.Option(None, "--file", help="The data file; else that of the checkout or data folder.")


@dataclass(frozen=True, kw_only=True)
class _Source:
    """Where a case comes from."""

    origin: "Origin"
    run_id: str
    feedback: Feedback | None = None


@dataclass(frozen=True, kw_only=True)
class _Read:
    """A run that whoever adds the case may read."""

    row: RunRow
    permission: Permission | None
    """On the run's case; None: it is a question, which is about none."""


def add(app: typer.Typer) -> None:
    """Put the command into the group."""
    app.command("add")(add_case)


@taking(AddOptions)
def add_case(ctx: typer.Context, options: AddOptions) -> None:
    """Add a case from a run, from feedback or from a failure review to the suite `production`."""
    shell: Shell = ctx.obj
    if sum(map(bool, (options.from_run, options.from_feedback, options.from_incident))) != 1:
        raise InputError("say exactly one of --from-run, --from-feedback and --from-incident")
    if options.check:
        shell.show(_checked(shell, options), lambda shown: Text(f"the review names its case {shown['case_id']}"))
        return
    shell.show(shell.run(_added(shell, options)), _view)


def data_file(shell: Shell, given: Path | None) -> Path:
    """Where cases are added: the named file, that of the checkout, else the data folder's."""
    from evals.production.cases import DATA

    checkout = app_root()
    if given is not None:
        return given
    is_checkout = (checkout / "pyproject.toml").is_file() and os.access(checkout / "evals" / "datasets", os.W_OK)
    return (checkout / "evals" / "datasets" if is_checkout else shell.settings.home / "evals") / DATA


async def _added(shell: Shell, options: AddOptions) -> dict[str, Any]:
    from evals.production.incident import with_eval

    principal = shell.principal("review")
    source, options = await _source(shell, options)
    row = await build_records(shell.services).get(principal.tenant, source.run_id)
    permission = await permit_on_run(shell.services, principal, row, READ, session=TERMINAL)
    case = await _case(shell, _Read(row=row, permission=permission), source, options)
    path = data_file(shell, options.file)
    _append(path, case)
    if options.from_incident is not None:
        with_eval(options.from_incident, case.id)
    return {"case_id": case.id, "file": str(path), "case": case.model_dump(mode="json", exclude_defaults=True)}


async def _source(shell: Shell, options: AddOptions) -> tuple[_Source, AddOptions]:
    """Where the case comes from, and what it says of what is right."""
    if options.from_run:
        return _Source(origin="run", run_id=options.from_run), options
    if options.from_feedback:
        given = await _feedback(shell, options.from_feedback)
        return _Source(origin="feedback", run_id=given.about.run_id, feedback=given), _judged(given, options)
    from evals.production.incident import read_review

    review = read_review(_required(options.from_incident))
    run_id = review.value("Run")
    if not run_id:
        raise InputError("the failure review names no run; fill in its field 'Run'")
    return _Source(origin="incident", run_id=run_id), _reviewed(review, options)


async def _feedback(shell: Shell, feedback_id: str) -> Feedback:
    found = await shell.services.feedback.list(shell.acting("review").tenant)
    given = next((one for one in found if one.feedback_id == feedback_id), None)
    if given is None:
        raise NotFoundError(f"there is no feedback {feedback_id!r}; `casewright feedback list` shows what there is")
    return given


def _judged(given: Feedback, options: AddOptions) -> AddOptions:
    """What the feedback itself says: an answer that was good is to stay, a wrong citation is not to come again."""
    why = options.why or f"somebody said of an answer: {given.kind.replace('_', ' ')}"
    options = replace(options, why=why, said=options.said or given.text)
    if given.kind == "wrong_citation" and given.citation is not None:
        return replace(options, cites_not=[*options.cites_not, f"{given.citation.document_id} {given.citation.label}"])
    return _as_it_was(given.about, options) if given.kind == "up" else options


def _as_it_was(about: JudgedAnswer, options: AddOptions) -> AddOptions:
    cited = list(dict.fromkeys(f"{one.document_id} {one.label}" for one in about.evidence))
    if about.question:
        return replace(options, answered=options.answered or ("yes" if about.evidence else "no"), cites=cited)
    amount = options.amount if options.amount is not None else about.amount_minor
    return replace(options, action=options.action or about.action, amount=amount, cites=cited)


def _reviewed(review: "FailureReview", options: AddOptions) -> AddOptions:
    amount = review.value("Amount")
    if amount and not amount.isdecimal():
        raise InputError(f"the amount {amount!r} of the failure review is no number of minor units; correct it")
    return replace(
        options,
        why=options.why or review.value("Why it could happen"),
        said=options.said or review.value("What is right"),
        action=options.action or review.value("Action"),
        amount=options.amount if options.amount is not None else (int(amount) if amount else None),
        cites=[*options.cites, *_several(review.value("Cites"))],
        cites_not=[*options.cites_not, *_several(review.value("Does not cite"))],
    )


def _several(text: str) -> list[str]:
    return [one.strip() for one in text.split(";") if one.strip()]


async def _case(shell: Shell, read: _Read, source: _Source, options: AddOptions) -> "ProductionCase":
    from evals.production.cases import FORBIDDEN, ProductionCase, ProductionGiven

    row = read.row
    redact = await _redaction(shell, row)
    for words in (options.action, *options.cites, *options.cites_not, *options.says):
        if redact(words) != words:
            raise InputError(f"{words!r} points to somebody, and would be checked to the letter; say it without that")
    expected = _expected(options, redact(options.said))
    if not expected.checkable:
        raise InputError(f"what is right is said in words alone; {_FORM}")
    if len(options.why.strip()) < 10:
        raise InputError("say why the case exists with --why, in ten characters or more")
    content = await _content(shell, read, redact)
    given = ProductionGiven(origin=source.origin, versions=_versions(row), **content)
    case_id = f"prod-{digest([content, expected.model_dump(mode='json')])[:12]}"
    if given.case is not None:
        given = given.model_copy(update={"case": given.case.model_copy(update={"case_id": case_id})})
    kind = "review" if given.case is not None else "question"
    return ProductionCase(
        id=case_id,
        why=redact(options.why),
        given=given,
        expected=expected,
        forbidden=FORBIDDEN,
        slices={"kind": kind, "origin": source.origin},
    )


def _expected(options: AddOptions, said: str) -> "ProductionExpected":
    from evals.production.cases import ProductionExpected

    return ProductionExpected(
        said=said,
        action=options.action,
        amount_minor=options.amount,
        answered={"yes": True, "no": False, "": None}[options.answered],
        cites=tuple(options.cites),
        cites_not=tuple(options.cites_not),
        says=tuple(options.says),
    )


async def _content(shell: Shell, read: _Read, redact: Any) -> dict[str, Any]:
    """The question or the case, without what points to a person."""
    from casewright.cases.views import view
    from evals.production.pseudonyms import TENANT, without_people
    from graphs.inquiries import inquiry_of

    services, row, permission = shell.services, read.row, read.permission
    if not row.case_id:
        inquiry, _ = await inquiry_of(build_records(services), row.run_id)
        return {"question": redact(inquiry.question), "as_of": inquiry.as_of}
    stored = await services.cases.load(row.tenant, row.case_id)
    if stored is None or permission is None:
        raise NotFoundError(f"the case of run {row.run_id!r} is not there any more; no case can be made of it")
    if stored.case.sealed or stored.case.classification is Classification.RESTRICTED:
        raise ConflictError(
            f"the case of run {row.run_id!r} is sealed or restricted, and stays here; write one by hand"
        )
    filters = permission.decision.filters
    seen = view(stored.case, filters=filters, above=permission.duties.redact_above)
    bare = without_people(seen, "case-from-production")
    tried = bare.model_copy(update={"tenant": TENANT})
    whole, alone = (
        await services.assessments.of(view(stored.case, filters=filters, above=None)),
        await services.assessments.of(tried),
    )
    was, now = ((one.outcome.action, one.outcome.amount_minor) for one in (whole, alone))
    if was != now:
        raise ConflictError(
            f"without what points to a person, and under the rules of {TENANT!r}, the outcome is {now} and not {was}: "
            "the case would prove something else; write one by hand"
        )
    return {"case": bare.model_dump(mode="json")}


async def _redaction(shell: Shell, row: RunRow) -> Any:
    """Replaces what is personal in a text: what is known of the case, and what looks it."""
    from casewright.cases.protected import StoredKnowledge
    from casewright.models.layer import CallContext
    from casewright.models.protection.placeholders import Placeholders

    context = CallContext(run_id=row.run_id, case_id=row.case_id, tenant=row.tenant, agent="")
    known = await StoredKnowledge(shell.services.cases).of(context)
    return (Placeholders(known.people, known.texts) if known is not None else Placeholders()).redact


def _versions(row: RunRow) -> dict[str, str]:
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in sorted(row.pins.items())}


def _append(path: Path, case: "ProductionCase") -> None:
    """Add a line, unless it is there.

    Raises:
        ConflictError: the same case is there already.
        InputError: the file cannot be read or written.
    """
    from evals.production.cases import plain

    known = _ids(path)
    if case.id in known:
        raise ConflictError(f"the case {case.id!r} is in {str(path)!r} already; the same was added before")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8", newline="\n") as lines:
            lines.write(json.dumps(plain(case), ensure_ascii=False, sort_keys=True) + "\n")
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be written: {error}; name another one with --file") from error


def _ids(path: Path) -> Sequence[str]:
    from evals.datasets import read_lines
    from evals.production.cases import ProductionCase

    if not path.exists():
        return ()
    return tuple(case.id for case in read_lines(path.name, ProductionCase, folder=path.parent))


def _checked(shell: Shell, options: AddOptions) -> dict[str, Any]:
    """Whether a failure review names a case that is there."""
    from evals.production.incident import EVAL, read_review

    review = _required(options.from_incident)
    named = read_review(review).value(EVAL)
    if not named:
        raise InputError(f"the failure review {str(review)!r} names no eval; add one without --check")
    if named not in _ids(data_file(shell, options.file)):
        raise InputError(f"the failure review {str(review)!r} names the eval {named!r}, which is not there; add it")
    return {"case_id": named, "review": str(review)}


def _required(path: Path | None) -> Path:
    if path is None:
        raise InputError("--check is for failure reviews; name one with --from-incident")
    return path


def _view(document: dict[str, Any]) -> Text:
    return Text(
        f"added {document['case_id']} to {document['file']}; look whether it still points to anybody, then "
        "`casewright eval lock`, raise `cases` of [suites.production] in evals/gates.toml, and "
        "`casewright eval run production`"
    )
