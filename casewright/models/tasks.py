"""Every task there is, by name. A model is asked for nothing that is not listed here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from casewright.errors import InputError
from casewright.models.classification import INTAKE_CLASSIFY
from casewright.models.judging import JUDGE_CLARITY, JUDGE_COMPLETENESS, JUDGE_TONE
from casewright.models.question import ANSWER_QUESTION
from casewright.models.recommendation import DRAFT_RECOMMENDATION
from casewright.models.selection import RESEARCH_SELECT
from casewright.models.task import Task

__all__ = [
    "ANSWER_QUESTION",
    "DRAFT_RECOMMENDATION",
    "INTAKE_CLASSIFY",
    "JUDGING",
    "LISTED",
    "RESEARCH_SELECT",
    "TASKS",
    "task",
]

TASKS: Mapping[str, Task[Any, Any]] = MappingProxyType(
    {one.name: one for one in (INTAKE_CLASSIFY, RESEARCH_SELECT, DRAFT_RECOMMENDATION, ANSWER_QUESTION)}
)
"""What reviews and answers ask; every gateway has their prompts."""
JUDGING: Mapping[str, Task[Any, Any]] = MappingProxyType(
    {one.name: one for one in (JUDGE_TONE, JUDGE_CLARITY, JUDGE_COMPLETENESS)}
)
"""What evaluations ask; only their gateway has the prompts, so any other refuses these tasks."""
LISTED: Mapping[str, Task[Any, Any]] = MappingProxyType({**TASKS, **JUDGING})


def task(name: str) -> Task[Any, Any]:
    """The task of that exact name.

    Raises:
        InputError: there is none.
    """
    found = LISTED.get(name)
    if found is None:
        raise InputError(f"there is no model task {name!r}; there are: {', '.join(sorted(LISTED))}")
    return found
