"""The folder of an evaluation loses no result: not after half a line, not for the characters that a text holds."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.contracts.base import Contract
from casewright.contracts.evaluation import CaseResult
from evals.datasets import read_lines
from evals.folder import EvalFolder, ResultLine

pytestmark = pytest.mark.proves("H1")
PARTING = "one\u2028two\u2029three\x85four\x0bfive\x1csix\r\nseven"
"""Characters at which Python parts lines, and JSON does not."""


class Line(Contract):
    """A line of a data file."""

    text: str


def line(case_id: str, happened: str = "") -> ResultLine:
    result = CaseResult(case_id=case_id, verdict="failed", happened=happened)
    return ResultLine(suite="injection", enforced=True, result=result)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(PARTING)), max_size=5))
def test_every_result_is_read_again_whatever_its_texts_hold(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    folder = EvalFolder(tmp_path_factory.mktemp("evaluation"))
    written = [line(f"c{number}", text) for number, text in enumerate(texts)]
    for one in written:
        folder.append(one)
    assert list(folder.results()) == written


def test_a_result_after_half_a_line_of_a_killed_evaluation_is_kept(tmp_path: Path) -> None:
    folder = EvalFolder(tmp_path)
    folder.append(line("c1", PARTING))
    with (tmp_path / "results.jsonl").open("a", encoding="utf-8") as file:
        file.write(line("c2").model_dump_json()[:40])
    folder.append(line("c3"))
    assert [one.result.case_id for one in folder.results()] == ["c1", "c3"]


def test_a_line_of_data_ends_with_a_line_feed_alone(tmp_path: Path) -> None:
    given_line = Line(text=PARTING)
    (tmp_path / "a.jsonl").write_text(given_line.model_dump_json() + "\n", encoding="utf-8")
    assert read_lines("a.jsonl", Line, folder=tmp_path) == (given_line,)
