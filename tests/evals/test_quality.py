"""Quality under a provider's model: asked over the wire, recorded, compared offline. No real model is asked here."""

from pathlib import Path
from typing import Any

import pytest

from casewright.contracts.evaluation import CaseResult
from casewright.errors import InputError
from evals.suite import Case, Materials, SuiteUnavailableError
from evals.suites.quality import FILES, Quality
from tests.support.anthropic_messages import MODEL
from tests.support.anthropic_server import API_KEY, model_server
from tests.support.scripted_model import ScriptedModel


def materials_of(installation: Path, work: Path, **options: str) -> Materials:
    work.mkdir(exist_ok=True)
    return Materials(installation=installation, work=work, shared=None, options=options)


async def opened_once(materials: Materials) -> None:
    """As a process of an evaluation begins."""
    async with Quality().opened(materials, enforced=True):
        raise AssertionError("it was opened")


async def test_without_a_model_or_a_recording_the_suite_did_not_run_and_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(SuiteUnavailableError, match="key_file"):
        await opened_once(materials_of(tmp_path, tmp_path))
    with pytest.raises(SuiteUnavailableError, match="holds no recording"):
        await opened_once(materials_of(tmp_path, tmp_path, recorded=str(tmp_path)))
    with pytest.raises(InputError, match="name one of them"):
        await opened_once(materials_of(tmp_path, tmp_path, recorded=str(tmp_path), model="m"))


async def test_a_recording_is_never_written_over(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(API_KEY)
    with pytest.raises(InputError, match="is there already"):
        await opened_once(materials_of(tmp_path, tmp_path, model=MODEL, key_file=str(key), keep=str(tmp_path)))


def of_each_file(cases: Any) -> list[Case]:
    """Two questions that are answered and one that is not."""
    wanted: list[Case] = []
    for name in FILES:
        kind = name.removesuffix(".jsonl")
        wanted.append(next(case for case in cases if case.slices["kind"] == kind))
    return wanted


async def tried(materials: Materials) -> dict[str, CaseResult]:
    suite = Quality()
    cases = of_each_file(suite.cases(materials))
    async with suite.opened(materials, enforced=True) as attempt:
        return {case.id: await attempt(case) for case in cases}


def key_of(folder: Path) -> str:
    (folder / "key").write_text(API_KEY)
    return str(folder / "key")


@pytest.mark.thorough
@pytest.mark.timeout(300)
async def test_what_a_model_answered_once_is_scored_and_replayed_offline(installation: Path, tmp_path: Path) -> None:
    keep = tmp_path / "kept"
    with model_server(ScriptedModel()) as server:
        options = {"model": MODEL, "key_file": key_of(tmp_path), "base_url": server.base_url, "keep": str(keep)}
        asked = await tried(materials_of(installation, tmp_path / "live", **options))
    assert all(result.outcomes["model_answered"] and result.tokens > 0 for result in asked.values() if result.tokens)
    assert any(result.tokens > 0 for result in asked.values()), "a model of the provider was asked"
    read = await tried(materials_of(installation, tmp_path / "offline", recorded=str(keep)))
    assert {name: one.verdict for name, one in read.items()} == {name: one.verdict for name, one in asked.items()}
    assert all(result.outcomes["replayed_same"] for result in read.values())


@pytest.mark.thorough
@pytest.mark.timeout(300)
async def test_a_model_that_is_wrong_fails_and_nobody_answers_in_its_place(installation: Path, tmp_path: Path) -> None:
    def declining(task: str, answer: dict[str, Any]) -> dict[str, Any]:
        return {"sentences": [], "abstained": True, "reason": "I would rather not."}

    with model_server(ScriptedModel(declining)) as server:
        options = {"model": MODEL, "key_file": key_of(tmp_path), "base_url": server.base_url}
        results = await tried(materials_of(installation, tmp_path / "live", **options))
    verdicts = {name.partition("-")[0]: result.verdict for name, result in results.items()}
    assert verdicts["golden"] == verdicts["dated"] == "failed"
    assert all(result.outcomes["model_answered"] for result in results.values() if result.tokens)
