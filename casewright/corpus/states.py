"""The kept states of an index: list them, make one the active one, compare what two of them answer.

A state is a tag on a version of the table. Running servers read the pointer on every call, so a switch
takes effect in them at once; going back also goes back to the approvals of that state. A tenant cannot
switch what another tenant's people see.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from casewright.contracts.base import Contract
from casewright.contracts.clause import SearchFilters, SearchResult
from casewright.corpus.catalogue import Catalogue
from casewright.corpus.lock import exclusive
from casewright.corpus.revision import LOCK_NAME, LOCK_WAIT_SECONDS
from casewright.corpus.rows import IndexedVersion
from casewright.corpus.state import ActiveState, read_state, write_state
from casewright.corpus.table import ClauseTable, storage_errors
from casewright.errors import InputError, StorageError

COMPARED_HITS = 10
Search = Callable[["AskedQuestion"], SearchResult]


@dataclass(frozen=True, kw_only=True)
class AskedQuestion:
    """A question to compare with, under the filters that it is asked with."""

    name: str
    """What the comparison calls it: its text, or the id of the record it is from."""
    text: str
    filters: SearchFilters


class IndexState(Contract):
    """One kept state."""

    index_version: str
    active: bool
    previous: bool
    """What `rollback` goes back to."""


class QuestionShift(Contract):
    """What one question finds in two states."""

    question: str
    """Its text; for a recorded one the id of its decision, since the text is sealed."""
    overlap: float
    """Share of the first ten hits that both have."""
    moved: int
    """Common hits whose rank differs."""
    lost_answer: bool
    """It was answerable before and is not any more."""


class ShadowComparison(Contract):
    """What a question set finds in two states."""

    before: str
    after: str
    questions: int
    overlap_at_10: float
    """Mean over the questions."""
    lost: tuple[str, ...]
    """Questions that lost their answer."""
    shifts: tuple[QuestionShift, ...]
    """Questions whose hits or order differ."""


def kept_states(folder: Path) -> tuple[IndexState, ...]:
    """The states that can be made active, the newest first.

    Raises:
        StorageError: there is no index, or it is damaged.
    """
    state = active_state(folder)
    by_age = sorted(_tags(folder, state).items(), key=lambda item: -item[1])
    return tuple(
        IndexState(index_version=name, active=name == state.index_version, previous=name == state.previous)
        for name, _ in by_age
    )


def state_named(folder: Path, name: str) -> ActiveState:
    """The kept state of this name, to be opened beside the active one.

    Raises:
        InputError: it is not kept.
        StorageError: there is no index, or it is damaged.
    """
    state = active_state(folder)
    version = _tags(folder, state).get(name)
    if version is None:
        raise InputError(f"there is no index state {name!r}; `casewright corpus versions` lists those that are kept")
    return ActiveState(table_version=version, index_version=name, embedder=state.embedder, previous=state.index_version)


def promote(folder: Path, name: str, *, tenant: str) -> ActiveState:
    """Make a kept state the active one, on behalf of one tenant.

    Raises:
        InputError: it is not kept, or is active already, or differs in other tenants' documents.
        UnavailableError: another process is ingesting for too long.
        StorageError: there is no index, or it cannot be written.
    """
    with storage_errors(folder), exclusive(folder / LOCK_NAME, wait_seconds=LOCK_WAIT_SECONDS):
        now, wanted = active_state(folder), state_named(folder, name)
        if now.index_version == name:
            raise InputError(f"the index state {name!r} is active already")
        if _others(folder, now, tenant) != _others(folder, wanted, tenant):
            raise InputError(
                f"the index state {name!r} differs in documents of other tenants; ingest or withdraw your own "
                "documents instead"
            )
        write_state(folder, wanted)
        return wanted


def roll_back(folder: Path, *, tenant: str) -> ActiveState:
    """Make the state before the active one active again; twice is forward again.

    Raises:
        InputError: there is none before, or see `promote`.
        UnavailableError: another process is ingesting for too long.
        StorageError: there is no index, or it cannot be written.
    """
    before = active_state(folder).previous
    if not before:
        raise InputError("there is no state before the active one; `casewright corpus versions` lists what is kept")
    return promote(folder, before, tenant=tenant)


def active_state(folder: Path) -> ActiveState:
    """The active state.

    Raises:
        StorageError: there is no index.
    """
    state = read_state(folder)
    if state is None:
        raise StorageError(f"there is no index in {str(folder)!r}; run `casewright corpus ingest PATH`")
    return state


def compared(before: Search, after: Search, questions: Sequence[AskedQuestion]) -> ShadowComparison:
    """What the questions find in two states; each is searched in both."""
    pairs = [(question, before(question), after(question)) for question in questions]
    if not pairs:
        raise InputError(
            "there are no questions to compare with; give a file with one question on each line, or ask some"
        )
    shifts = [_shift(question.name, old, new) for question, old, new in pairs]
    return ShadowComparison(
        before=pairs[0][1].index_version,
        after=pairs[0][2].index_version,
        questions=len(pairs),
        overlap_at_10=round(sum(shift.overlap for shift in shifts) / len(shifts), 4),
        lost=tuple(shift.question for shift in shifts if shift.lost_answer),
        shifts=tuple(shift for shift in shifts if shift.overlap < 1 or shift.moved or shift.lost_answer),
    )


def _shift(question: str, old: SearchResult, new: SearchResult) -> QuestionShift:
    first = {hit.clause_id: hit.rank for hit in old.hits[:COMPARED_HITS]}
    second = {hit.clause_id: hit.rank for hit in new.hits[:COMPARED_HITS]}
    common = first.keys() & second.keys()
    return QuestionShift(
        question=question,
        overlap=round(len(common) / max(len(first), len(second), 1), 4) if first or second else 1.0,
        moved=sum(first[each] != second[each] for each in common),
        lost_answer=old.sufficient and not new.sufficient,
    )


def _tags(folder: Path, state: ActiveState) -> dict[str, int]:
    return ClauseTable.at_version(folder, state.table_version).tags()


def _others(folder: Path, state: ActiveState, tenant: str) -> tuple[IndexedVersion, ...]:
    """The versions of every other tenant in a state."""
    catalogue = Catalogue.read(ClauseTable.at_version(folder, state.table_version))
    return tuple(version for version in catalogue.versions if version.tenant != tenant)
