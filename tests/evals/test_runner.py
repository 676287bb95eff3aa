"""The runner over a real suite: killed processes lose their cases aloud, and a stopped evaluation goes on."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from casewright.contracts.base import Contract
from casewright.contracts.evaluation import CaseResult
from casewright.errors import InputError
from evals.case import EvalCase
from evals.folder import EvalFolder
from evals.planning import Planned, cases_digest
from evals.processes import Wrapped, environment, run_shard
from evals.registry import suite_of
from evals.runner import EvalOrder, Listener, evaluate
from evals.shard import ShardLine, ShardOrder, tried
from evals.suite import Materials, SuiteUnavailableError

SUITE = "trajectories"
pytestmark = [pytest.mark.proves("H1"), pytest.mark.timeout(600)]


class Nothing(Contract):
    """A case without content."""


CASE = EvalCase(id="c1", why="a case of a test", given=Nothing(), expected=Nothing(), slices={"kind": "made up"})


def killed_soon(command: Sequence[str]) -> Sequence[str]:
    """A process that is killed in the middle of its cases."""
    return ["timeout", "--signal", "KILL", "12", *command]


def order(folder: Path, *, wrapped: Wrapped = tuple, options: dict[str, str] | None = None) -> EvalOrder:
    return EvalOrder(
        suites=[suite_of(SUITE)],
        selection="fast",
        folder=EvalFolder(folder),
        controls=False,
        wrapped=wrapped,
        options=options or {},
    )


class Counting(Listener):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def result(self, plan: Planned, result: CaseResult) -> None:
        self.heard.append(result.case_id)


@pytest.mark.thorough
async def test_cases_of_a_killed_process_are_errored_and_tried_again_alone(tmp_path: Path) -> None:
    folder = tmp_path / "evaluation"
    first = Counting()
    (broken,) = (await evaluate(order(folder, wrapped=killed_soon), first)).suites
    assert broken.errored == broken.planned - len(first.heard) > 0
    lost = next(one for one in broken.worst if one.verdict == "errored")
    assert "its process ended first, with code" in lost.happened

    second = Counting()
    (whole,) = (await evaluate(order(folder), second)).suites
    assert (whole.cases, whole.errored) == (whole.planned, 0)
    assert sorted([*first.heard, *second.heard]) == sorted(line.result.case_id for line in EvalFolder(folder).results())
    assert set(first.heard).isdisjoint(second.heard)


@pytest.mark.thorough
async def test_a_folder_goes_on_with_what_was_begun_in_it_only(tmp_path: Path) -> None:
    folder = tmp_path / "evaluation"
    await evaluate(order(folder, wrapped=lambda command: ["true", *command]), Listener())
    with pytest.raises(InputError, match="was begun with other"):
        await evaluate(order(folder, options={"model": "another"}), Listener())


@pytest.mark.thorough
async def test_a_process_refuses_cases_that_say_something_else_than_was_planned(
    installation: Path, tmp_path: Path
) -> None:
    first = suite_of(SUITE).cases(Materials(installation=installation, work=tmp_path, shared=None))[0]
    changed = ShardOrder(
        suite=SUITE,
        enforced=True,
        case_ids=(first.id,),
        cases_digest=cases_digest([first.model_copy(update={"why": "a case that was changed meanwhile"})]),
        installation=str(installation),
        work=str(tmp_path / "work"),
        shared="",
        options={},
    )
    said: list[ShardLine] = []
    ended = await run_shard(changed, log=tmp_path / "log", seconds=60, heard=said.append, wrapped=tuple)
    assert (said, ended.code != 0) == ([], True)
    assert "have changed since they were planned" in ended.last_words


async def test_a_data_folder_that_was_copied_by_half_is_copied_again(installation: Path, tmp_path: Path) -> None:
    folder = tmp_path / "evaluation"
    (folder / "installation.new" / "left over").mkdir(parents=True)
    report = await evaluate(
        EvalOrder(suites=[], selection="fast", folder=EvalFolder(folder), installation=installation), Listener()
    )
    assert report.suites == ()
    assert (folder / "installation" / "casewright.db").is_file()
    assert not (folder / "installation" / "left over").exists()


async def test_what_a_case_raises_makes_it_errored_and_keeps_its_slices() -> None:
    async def failing(case: object) -> CaseResult:
        raise ValueError("the ledger is gone")

    result = await tried(failing, CASE, seconds=5)
    assert (result.verdict, result.happened) == ("errored", "ValueError: the ledger is gone")
    assert result.slices == {"kind": "made up"}


async def test_a_case_that_takes_too_long_is_errored() -> None:
    async def waiting(case: object) -> CaseResult:
        await asyncio.Event().wait()
        raise AssertionError

    result = await tried(waiting, CASE, seconds=0.02)
    assert (result.verdict, result.happened) == ("errored", "no result within 0.02 seconds")


async def test_what_is_not_on_the_machine_is_no_error_of_a_case() -> None:
    async def absent(case: object) -> CaseResult:
        raise SuiteUnavailableError("no corpora here")

    with pytest.raises(SuiteUnavailableError):
        await tried(absent, CASE, seconds=1)


def test_a_process_sees_the_policies_at_hand_and_no_key_or_other_setting(tmp_path: Path) -> None:
    given = {
        "CASEWRIGHT_POLICIES": str(tmp_path / "other" / ".."),
        "CASEWRIGHT_HOME": "mine",
        "ANTHROPIC_API_KEY": "secret",
        "LANG": "C",
    }
    seen = environment(given)
    assert seen["CASEWRIGHT_POLICIES"] == str(tmp_path)
    assert seen["LANG"] == "C"
    assert not {"CASEWRIGHT_HOME", "ANTHROPIC_API_KEY"} & set(seen)
