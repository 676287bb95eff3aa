"""The judge of tone, clarity and completeness: how it is admitted, and what it can never be used for.

No real model is asked here: a scripted one answers over the wire of the Anthropic service, on loopback.
"""

import ast
import json
import random
import re
import statistics
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from casewright.config import app_root
from casewright.errors import InputError
from casewright.models.judging import JudgeInput
from casewright.models.tasks import JUDGING, TASKS
from evals.datasets import read_lines
from evals.judging.judge import RUBRICS, Admission, Asked, Judge, JudgeExample, Rubric, admission, examples_digest
from evals.judging.kappa import agreement
from evals.provider import JUDGE_PROMPTS, judge_prompts
from evals.suite import Materials, SuiteUnavailableError
from evals.suites.judge import EXAMPLES_FILE, Calibration, judge_context, read_admissions
from tests.support.anthropic_messages import MODEL, message
from tests.support.anthropic_server import API_KEY, Step, model_server

EXAMPLES = read_lines(EXAMPLES_FILE, JudgeExample)
ROOT = app_root()


def pairs_of(table: dict[tuple[str, str], int]) -> list[tuple[str, str]]:
    return [pair for pair, count in table.items() for _ in range(count)]


def test_kappa_of_a_table_is_what_a_calculation_by_hand_gives() -> None:
    # 20 + 15 of 50 alike: po = 0.7; margins 25/25 and 30/20: pe = 0.5 * 0.6 + 0.5 * 0.4 = 0.5; kappa = 0.2 / 0.5
    found = agreement(pairs_of({("y", "y"): 20, ("y", "n"): 5, ("n", "y"): 10, ("n", "n"): 15}))
    assert (found.n, found.observed, round(found.kappa, 10)) == (50, 0.7, 0.4)
    assert agreement([("y", "y"), ("n", "n")] * 5).kappa == pytest.approx(1.0)
    assert agreement([("y", "n"), ("n", "y")] * 5).kappa == -1.0


def test_the_interval_has_the_width_that_drawing_again_and_again_has() -> None:
    pairs = pairs_of({("y", "y"): 60, ("y", "n"): 12, ("n", "y"): 8, ("n", "n"): 40})
    found = agreement(pairs)
    draws = random.Random(20261121)
    spread = statistics.stdev(agreement(draws.choices(pairs, k=len(pairs))).kappa for _ in range(400))
    assert (found.high - found.low) / (2 * 1.96) == pytest.approx(spread, rel=0.15)


def test_kappa_refuses_where_it_says_nothing() -> None:
    for pairs in ([], [("y", "y")] * 5):
        with pytest.raises(InputError, match="kappa"):
            agreement(pairs)


def test_the_examples_are_enough_and_each_rubric_has_both_grades_often() -> None:
    assert len(EXAMPLES) >= 100
    for rubric in RUBRICS:
        failing = sum(example.label(rubric) == "fails" for example in EXAMPLES)
        assert 25 <= failing <= len(EXAMPLES) - 25, rubric
    assert len({example.answer for example in EXAMPLES}) == len(EXAMPLES)


def test_the_prompts_of_the_judge_are_locked_and_fit_their_tasks() -> None:
    prompts = judge_prompts()
    assert {task.prompt for task in JUDGING.values()} == {path.name for path in JUDGE_PROMPTS.glob("*.md")}
    assert [prompts.for_task(task).head.version for task in JUDGING.values()] == [1, 1, 1]


def rated(rubric: Rubric, grade: Callable[[JudgeExample], Any]) -> list[tuple[JudgeExample, Asked]]:
    return [
        (one, Asked(grade=grade(one), reason="so", model="anthropic/m", tokens=1, cost_micro=1)) for one in EXAMPLES
    ]


def as_labelled(rubric: Rubric) -> Admission:
    return admission(rubric, rated(rubric, lambda one: one.label(rubric)), judge_prompts())


@pytest.mark.proves("H5")
def test_a_judge_that_agrees_by_chance_alone_is_refused_and_says_its_kappa() -> None:
    coin = random.Random(7)
    guessed = admission("tone", rated("tone", lambda _: coin.choice(["meets", "fails"])), judge_prompts())
    assert guessed.kappa < 0.6 and re.search(r"kappa is -?0\.\d\d \(.* to .*\), and 0\.6 is needed", guessed.refusal)
    assert as_labelled("tone").refusal == ""
    few = as_labelled("tone").model_copy(update={"n": 99})
    assert "99 examples were rated, and 100 are needed" in few.refusal


class NoGateway:
    """A judge that is refused asks nobody: any use of this fails."""


@pytest.mark.parametrize(
    ("change", "because"),
    [
        ({"kappa": 0.59}, "kappa is 0.59"),
        ({"n": 60}, "60 examples"),
        ({"prompt": "0" * 64}, "its prompt has changed"),
        ({"examples": "0" * 64}, "other examples"),
    ],
)
def test_a_judge_with_a_wrong_admission_cannot_be_made(change: dict[str, Any], because: str) -> None:
    gateway: Any = NoGateway()
    spoilt = as_labelled("clarity").model_copy(update=change)
    with pytest.raises(InputError, match=because):
        Judge(gateway, judge_prompts(), [spoilt], examples_digest(EXAMPLES))
    with pytest.raises(InputError, match="two admissions"):
        Judge(gateway, judge_prompts(), [as_labelled("clarity")] * 2, examples_digest(EXAMPLES))


async def test_a_rubric_without_admission_is_not_asked() -> None:
    gateway: Any = NoGateway()
    judge = Judge(gateway, judge_prompts(), [as_labelled("tone")], examples_digest(EXAMPLES))
    assert judge.rubrics == ("tone",)
    with pytest.raises(InputError, match="not admitted for 'clarity'"):
        await judge.grade("clarity", JudgeInput(question="q", answer="a"), any_context())


def any_context() -> Any:
    from casewright.config import Budgets

    return judge_context(Budgets())


# What it can never be used for.


def imports_of(path: Path) -> set[str]:
    text = path.read_text(encoding="utf-8")
    if "judging" not in text and "JUDGING" not in text:
        return set()
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.proves("H5")
def test_only_the_evaluations_of_soft_quality_can_reach_the_judge() -> None:
    rooms = ("casewright", "servers", "agents", "graphs", "api", "commands", "evals")
    users = {
        path.relative_to(ROOT).as_posix()
        for room in rooms
        for path in (ROOT / room).rglob("*.py")
        if any(name.startswith(("evals.judging", "casewright.models.judging")) for name in imports_of(path))
        or "casewright.models.tasks.JUDGING" in imports_of(path)
    }
    assert {user for user in users if not user.startswith("evals/judging/")} == {
        "casewright/models/tasks.py",
        "evals/suites/judge.py",
        "evals/suites/quality.py",
    }


@pytest.mark.proves("H5")
def test_there_is_no_rubric_of_support_access_or_effects_and_no_other_gate_holds_a_grade() -> None:
    assert set(RUBRICS) == {"tone", "clarity", "completeness"}
    assert {f"judge.{rubric}" for rubric in RUBRICS} == set(JUDGING) and not set(JUDGING) & set(TASKS)
    gates = tomllib.loads((ROOT / "evals" / "gates.toml").read_text(encoding="utf-8")).get("suites", {})
    held = {name: [rule["metric"] for rule in suite.get("rules", ())] for name, suite in gates.items()}
    for name, metrics in held.items():
        soft = [metric for metric in metrics if metric.startswith(("soft_", "kappa", "judge"))]
        assert name == "judge" or not soft, f"a gate of {name!r} holds {soft!r}, which a model said"


async def test_the_gateway_of_the_product_has_no_prompt_for_the_judge() -> None:
    from casewright.models.accounting import MemoryRecorder
    from casewright.models.gateway import Gateway
    from casewright.models.offline import OfflineProvider
    from casewright.models.prompts import PromptLibrary
    from tests.support.model_permission import OnlyModels

    library = PromptLibrary(ROOT / "agents" / "prompts")
    async with Gateway(
        [OfflineProvider()], library, MemoryRecorder(), permission=OnlyModels("offline/extractive")
    ) as gateway:
        with pytest.raises(InputError, match="judge_tone"):
            await gateway.run(JUDGING["judge.tone"], JudgeInput(question="q", answer="a"), context=any_context())


async def opened_once(materials: Materials) -> None:
    """As a process of an evaluation begins."""
    async with Calibration().opened(materials, enforced=True):
        raise AssertionError("it was opened")


async def test_without_a_model_and_its_key_file_the_calibration_did_not_run(installation: Path, tmp_path: Path) -> None:
    for number, options in enumerate(({}, {"model": "claude-x"}, {"key_file": "k"})):
        work = tmp_path / str(number)
        with pytest.raises(SuiteUnavailableError, match="key_file"):
            await opened_once(Materials(installation=installation, work=work, shared=None, options=options))
    (tmp_path / "empty").write_text("\n")
    options = {"model": "claude-x", "key_file": str(tmp_path / "empty")}
    with pytest.raises(InputError, match="is empty"):
        work = tmp_path / "last"
        await opened_once(Materials(installation=installation, work=work, shared=None, options=options))


def labels_by_model(spoil: Callable[[str, str], str]) -> Callable[[dict[str, Any]], Step]:
    """A scripted model that finds the answer in the prompt and grades it as labelled, or as `spoil` makes of it."""

    def answered(request: dict[str, Any]) -> Step:
        prompt = str(request["messages"][0]["content"])
        rubric: Rubric = next(one for one in RUBRICS if _about(one) in str(request["system"]))
        block = prompt.partition("evidence answer]]\n")[2]
        example = next(one for one in EXAMPLES if block.startswith(f"{one.answer}\n[["))
        grade = spoil(rubric, example.label(rubric))
        return Step(body=message({"reason": "The words say so.", "grade": grade}))

    return answered


def _about(rubric: str) -> str:
    return {"tone": "fitting tone", "clarity": "at the first reading", "completeness": "covers everything"}[rubric]


def key_in(work: Path) -> Path:
    work.mkdir()
    (work / "key").write_text(API_KEY)
    return work / "key"


async def calibrated(installation: Path, work: Path, spoil: Callable[[str, str], str]) -> dict[str, Any]:
    options = {"model": MODEL, "key_file": str(key_in(work))}
    with model_server(labels_by_model(spoil)) as server:
        options["base_url"] = server.base_url
        materials = Materials(installation=installation, work=work, shared=None, options=options)
        suite = Calibration()
        async with suite.opened(materials, enforced=True) as attempt:
            return {case.id: await attempt(case) for case in suite.cases(materials)}


@pytest.mark.proves("H5")
@pytest.mark.thorough
@pytest.mark.timeout(300)
async def test_a_calibration_over_the_wire_admits_a_judge_that_agrees_and_then_it_grades(
    installation: Path, tmp_path: Path
) -> None:
    results = await calibrated(installation, tmp_path / "work", lambda _, label: label)
    assert {name: result.verdict for name, result in results.items()} == dict.fromkeys(RUBRICS, "passed")
    assert all(result.measures["kappa"] == pytest.approx(1.0) and result.tokens > 0 for result in results.values())
    admissions = read_admissions(tmp_path / "work" / "admissions.json")
    assert [one.rubric for one in admissions] == list(RUBRICS) and admissions[0].model == f"anthropic/{MODEL}"
    assert json.loads((tmp_path / "work" / "admissions.json").read_text())[0]["n"] == len(EXAMPLES)


@pytest.mark.proves("H5")
@pytest.mark.thorough
@pytest.mark.timeout(300)
async def test_a_judge_that_praises_everything_or_mixes_up_the_grades_is_not_admitted(
    installation: Path, tmp_path: Path
) -> None:
    def spoil(rubric: str, label: str) -> str:
        if rubric == "tone":
            return "meets"
        return ("fails" if label == "meets" else "meets") if rubric == "clarity" else label

    results = await calibrated(installation, tmp_path / "work", spoil)
    assert [results[name].verdict for name in RUBRICS] == ["failed", "failed", "passed"]
    assert results["tone"].measures["kappa"] == 0.0 and results["clarity"].measures["kappa"] < 0
    assert results["tone"].stage == "model" and "labelled fails, graded meets" in results["tone"].evidence[0]
    admissions = read_admissions(tmp_path / "work" / "admissions.json")
    gateway: Any = NoGateway()
    with pytest.raises(InputError, match="judge of 'tone' is not admitted"):
        Judge(gateway, judge_prompts(), admissions, examples_digest(EXAMPLES))
