"""The lock on the data sets: version, format and digest of every file, and how many cases each suite has.

A file that differs from it is a finding of the gates: thresholds mean nothing over other questions. A meant change is
locked by `casewright eval lock`, which raises the version of every file that changed.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from casewright.canonical import digest
from casewright.contracts.base import Contract
from casewright.errors import InputError
from evals.datasets import file_digest, read_lines
from evals.planning import cases_digest, checked
from evals.suite import DATASETS, Materials, Suite, SuiteUnavailableError

LOCK = DATASETS / "lock.json"


class LockedFile(Contract):
    version: int
    """Raised by one with every change."""
    model: str
    """The class of a line."""
    model_sha256: str
    """Digest of its JSON Schema."""
    sha256: str
    lines: int


class LockedSuite(Contract):
    cases: int
    cases_digest: str


class DataLock(Contract):
    files: dict[str, LockedFile]
    suites: dict[str, LockedSuite]


def read_lock(path: Path = LOCK) -> DataLock:
    """The lock as it stands; of a checkout without one, empty.

    Raises:
        InputError: it is not in the format.
    """
    if not path.exists():
        return DataLock(files={}, suites={})
    try:
        return DataLock.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise InputError(f"{str(path)!r} is no lock of data sets ({error}); restore it") from error


def renewed(known: DataLock, suites: Sequence[Suite], materials: Materials) -> DataLock:
    """The lock over the data as they are now; what cannot be opened here keeps its entry.

    Raises:
        InputError: a data file is missing or not in its format.
    """
    files = {name: _file(name, suite, known) for suite in suites for name in suite.files}
    counted = {suite.name: _suite(suite, materials, known) for suite in suites}
    return DataLock(
        files=dict(sorted(files.items())),
        suites={name: entry for name, entry in sorted(counted.items()) if entry is not None},
    )


def problems(lock: DataLock, suite: Suite, materials: Materials | None = None) -> tuple[str, ...]:
    """Where a suite's files differ from the lock, in words; nothing: they fit.

    Args:
        lock: what was locked.
        suite: whose files are looked at.
        materials: with them also all of its cases, of which an evaluation may select some.

    Raises:
        InputError: a data file is missing, or with materials not in its format.
    """
    found: list[str] = []
    for name, model in suite.files.items():
        locked = lock.files.get(name)
        if locked is None:
            found.append(f"{name!r} is not locked")
        elif locked.sha256 != file_digest(name):
            found.append(f"{name!r} differs from version {locked.version} that is locked")
        elif locked.model_sha256 != digest(model.model_json_schema()):
            found.append(f"the format of {name!r} ({model.__name__}) differs from the locked one")
    locked_cases = lock.suites.get(suite.name)
    if materials is not None and locked_cases is not None and _suite(suite, materials, lock) != locked_cases:
        found.append(f"its cases are not the {locked_cases.cases} that are locked")
    return tuple(found)


def lock_text(lock: DataLock) -> str:
    """As it is written to the file."""
    return json.dumps(lock.model_dump(mode="json"), indent=1, sort_keys=True) + "\n"


def data_of(suite: Suite) -> Mapping[str, str]:
    """The digests of a suite's files as they are.

    Raises:
        InputError: a file is missing.
    """
    return {name: file_digest(name) for name in suite.files}


def _file(name: str, suite: Suite, known: DataLock) -> LockedFile:
    model = suite.files[name]
    before = known.files.get(name)
    sha256, schema = file_digest(name), digest(model.model_json_schema())
    same = before is not None and (before.sha256, before.model_sha256) == (sha256, schema)
    return LockedFile(
        version=before.version + (not same) if before else 1,
        model=model.__name__,
        model_sha256=schema,
        sha256=sha256,
        lines=len(read_lines(name, model)),
    )


def _suite(suite: Suite, materials: Materials, known: DataLock) -> LockedSuite | None:
    try:
        cases = checked(suite, materials)
    except SuiteUnavailableError:
        return known.suites.get(suite.name)
    return LockedSuite(cases=len(cases), cases_digest=cases_digest(cases))
