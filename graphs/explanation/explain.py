"""Explains one run: each of the auditor's questions, answered from records."""

from collections.abc import Callable, Iterator

from casewright.contracts.explanation import SECTIONS, Explanation, Statement
from casewright.services import Services
from graphs.explanation.answer import answered, detection, evidence, validation, why
from graphs.explanation.course import course
from graphs.explanation.history import RunHistory, read_history
from graphs.explanation.means import cost, model, tools
from graphs.explanation.permission import permission
from graphs.records import RunRecords, RunRow

Answer = Callable[[RunHistory], Iterator[Statement]]
_ANSWERS: dict[str, Answer] = {
    "answered": answered,
    "why": why,
    "evidence": evidence,
    "permission": permission,
    "model": model,
    "tools": tools,
    "validation": validation,
    "cost": cost,
    "detection": detection,
    "course": course,
}


async def explain_run(
    services: Services, records: RunRecords, row: RunRow, *, longest_chain: int | None = None
) -> Explanation:
    """What, why, from what, under what permission, with what, validated how, at what cost, how one would know if it
    was wrong, and how it came about.

    Args:
        longest_chain: the audit is verified if it has at most so many events; None: whatever its length.
    """
    history = await read_history(services, records, row, longest_chain=longest_chain)
    sections = {name: tuple(_ANSWERS[name](history)) for name in SECTIONS}
    return Explanation(
        run_id=row.run_id,
        case_id=row.case_id,
        subject=row.subject,
        status=row.status,
        parent=row.parent,
        revision=row.revision,
        **sections,
    )
