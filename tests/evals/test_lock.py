"""The lock on the data sets: another text, format or number of cases is said in words."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from casewright.contracts.base import Contract
from evals.lock import DataLock, problems, renewed
from evals.registry import suite_of
from evals.suite import Attempt, Case, Materials, Suite

pytestmark = pytest.mark.proves("H1")
EMPTY = DataLock(files={}, suites={})


@dataclass(frozen=True, kw_only=True)
class Fewer:
    """A suite that has lost its last cases, over the same files."""

    suite: Suite
    lost: int = 1
    title: str = "a suite of a test"
    fast_cases: int = 0
    shards: int = 1
    case_seconds: float = 1.0
    has_control: bool = False

    @property
    def name(self) -> str:
        return self.suite.name

    @property
    def files(self) -> Mapping[str, type[Contract]]:
        return self.suite.files

    def cases(self, materials: Materials) -> Sequence[Case]:
        return self.suite.cases(materials)[: -self.lost]

    def opened(self, materials: Materials, *, enforced: bool) -> AbstractAsyncContextManager[Attempt]:
        return self.suite.opened(materials, enforced=enforced)


@pytest.fixture
def given(tmp_path: Path) -> Materials:
    return Materials(installation=tmp_path, work=tmp_path, shared=None)


def test_data_as_they_were_locked_have_no_problem(given: Materials) -> None:
    suite = suite_of("dated")
    assert problems(renewed(EMPTY, [suite], given), suite, given) == ()


def test_what_was_never_locked_is_a_problem(given: Materials) -> None:
    assert problems(EMPTY, suite_of("dated"), given) == ("'dated.jsonl' is not locked",)


def test_another_text_or_format_of_a_file_is_named_with_the_version_that_is_locked(given: Materials) -> None:
    suite = suite_of("dated")
    lock = renewed(EMPTY, [suite], given)
    file = lock.files["dated.jsonl"]
    other_text = DataLock(files={"dated.jsonl": file.model_copy(update={"sha256": "0" * 64})}, suites=lock.suites)
    other_format = DataLock(files={"dated.jsonl": file.model_copy(update={"model_sha256": "0"})}, suites=lock.suites)
    assert problems(other_text, suite) == ("'dated.jsonl' differs from version 1 that is locked",)
    assert "the format of 'dated.jsonl'" in problems(other_format, suite)[0]
    assert renewed(other_text, [suite], given).files["dated.jsonl"].version == 2
    assert renewed(lock, [suite], given) == lock


def test_a_suite_that_makes_fewer_cases_of_the_same_files_is_a_problem_of_every_selection(given: Materials) -> None:
    whole = suite_of("dated")
    lock = renewed(EMPTY, [whole], given)
    lost = Fewer(suite=whole)
    assert problems(lock, lost) == ()
    assert problems(lock, lost, given) == (f"its cases are not the {lock.suites['dated'].cases} that are locked",)
