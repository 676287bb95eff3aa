"""The questions that two index states are compared with: a file's lines, or what was really asked.

What was asked stands in the recorded decisions, sealed, since a question may speak of a case. It is opened here to
be searched with, by people who may have decisions decided again, and is not shown: a comparison names
the decision, which `casewright policy replay --export FILE --with-personal-data` opens for those who may read it.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from casewright.clock import NANOSECONDS, today
from casewright.contracts.clause import SearchFilters
from casewright.corpus.states import AskedQuestion
from casewright.errors import InputError
from commands.recorded_decisions import REPLAY, Selection, selected
from commands.shell import Shell

MAX_QUESTIONS = 5_000
_TOOL = "search_policies"


@dataclass(frozen=True, kw_only=True)
class Questions:
    """What to compare with."""

    asked: tuple[AskedQuestion, ...]
    skipped: int = 0
    """Recorded searches whose question is not on record whole: too long, or left out by the recording rules."""


def questions_in(shell: Shell, path: Path) -> Questions:
    """The lines of a file, to be searched as of today.

    Raises:
        InputError: it cannot be read or holds too many.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{str(path)!r} cannot be read ({error}); give a text file in UTF-8") from error
    found = [line.strip() for line in lines if line.strip()]
    if len(found) > MAX_QUESTIONS:
        raise InputError(f"{str(path)!r} has {len(found)} questions; give at most {MAX_QUESTIONS}")
    filters = _filters(shell, today(shell.services.clock))
    return Questions(asked=tuple(AskedQuestion(name=line, text=line, filters=filters) for line in found))


async def recorded_questions(shell: Shell, *, since_ns: int, limit: int) -> Questions:
    """The newest questions that were asked in the acting person's tenant, each on its day, once.

    They are searched with this person's labels and in all documents: whose labels they were first searched with
    is sealed for another purpose.

    Raises:
        DeniedError: this person may not have decisions decided again.
        InputError: no searches are on record.
        StorageError: a record was changed, or there is no key for it.
    """
    records = await selected(shell, Selection(tool=_TOOL, since_ns=since_ns, limit=limit, opened=True, deed=REPLAY))
    found: dict[tuple[str, dt.date], AskedQuestion] = {}
    skipped = 0
    for record in records:
        if record.document.get("mode") != "call" or record.effect == "deny":
            continue
        asked = _asked(record.document)
        if asked is None:
            skipped += 1
            continue
        text, day = asked
        found.setdefault(asked, AskedQuestion(name=record.name, text=text, filters=_filters(shell, day)))
    if not found:
        raise InputError("no searches are on record from that time; give a file with one question on each line")
    return Questions(asked=tuple(found.values()), skipped=skipped)


def _asked(document: Mapping[str, Any]) -> tuple[str, dt.date] | None:
    """The question and the day whose rules it is about; None where the record does not hold them."""
    try:
        arguments = cast("Mapping[str, Any]", document["arguments"])
        query, as_of, now_ns = arguments["query"], arguments.get("as_of"), int(document["context"]["now_ns"])
        day = dt.date.fromisoformat(as_of) if as_of else dt.datetime.fromtimestamp(now_ns // NANOSECONDS, dt.UTC).date()
    except (KeyError, TypeError, ValueError):
        return None
    return (query, day) if isinstance(query, str) and query.strip() else None


def _filters(shell: Shell, day: dt.date) -> SearchFilters:
    principal = shell.principal("authoring")
    return SearchFilters(tenant=principal.tenant, labels=principal.labels, as_of=day)
