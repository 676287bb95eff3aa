"""What people, time and machines do about a review, as data: one act after another, each with how it has to go."""

from typing import Any, Literal

from pydantic import Field

from casewright.contracts.base import Contract

Deed = Literal[
    "start",
    "approve",
    "reject",
    "revoke",
    "answer",
    "cancel",
    "pause",
    "resume",
    "retry",
    "fork",
    "wake",
    "change_case",
    "switch",
    "edit_draft",
    "remove_person",
    "pass_time",
    "expire",
    "reopen",
]
"""
`wake`: drive the newest run whether or not anything happened. `reopen`: end the process's services and open them anew.
`expire`: let just the time pass that the pending approval has left.
"""


class Act(Contract):
    """One thing that is done; then what can go on is driven, as a worker would."""

    do: Deed
    who: str = ""
    """A local identity; empty: the reviewer of the case."""
    value: str = ""
    """The answer, the step to fork at, the control's path and value (`switches.tools +save_draft`), the reason."""
    seconds: float = 0
    fields: dict[str, Any] = Field(default_factory=dict[str, Any])
    """What changes in the case file; `name+` appends to a collection, `name-` takes items out by their ids."""
    refused: str = ""
    """The code or error with which it has to be refused; empty: it has to be done."""
    first: bool = False
    """About the oldest run instead of the newest."""
    driven: bool = True
    """False: nothing is driven after it; the next act comes at once."""


class During(Contract):
    """An act in the middle of a review: right after the model's answer to a task."""

    task: str
    act: Act


def applied(case: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """A case document with changes; see `Act.fields`."""
    changed = dict(case)
    for name, value in fields.items():
        if name.endswith("+"):
            changed[name[:-1]] = [*changed.get(name[:-1], []), *value]
        elif name.endswith("-"):
            kept = [item for item in changed[name[:-1]] if not set(value) & set(map(str, item.values()))]
            changed[name[:-1]] = kept
        else:
            changed[name] = value
    return changed
