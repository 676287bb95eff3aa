"""Retrieval is measured on its own, in the benchmark's format."""

import json
from pathlib import Path

import pytest

from casewright.corpus.bench import average_precision, measure
from casewright.errors import InputError


@pytest.mark.proves("A9")
def test_figures_are_given_for_our_search_and_the_plain_ones_beside_it(tmp_path: Path) -> None:
    topics = ["overdraft fee", "escrow account", "adverse action", "gift card"]
    passages = [
        {"id": f"{n}", "document": n % 2, "text": f"Rule {n} on the {topic} of a customer."}
        for n, topic in enumerate(topics)
    ]
    questions = [{"question": f"What about the {topic}?", "relevant": [str(n)]} for n, topic in enumerate(topics)]
    for name, lines in (("p.jsonl", passages), ("q.jsonl", questions)):
        (tmp_path / name).write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    figures = measure(tmp_path / "p.jsonl", tmp_path / "q.jsonl", limit_questions=3)
    assert (figures.passages, figures.questions) == (4, 3)
    assert figures.recall_at_10 == figures.map_at_10 == 1.0
    assert figures.full_text.recall_at_10 == 1.0
    assert figures.hybrid.recall_at_10 == 1.0
    assert figures.vector.recall_at_10 == 1.0
    assert figures.ranked_by == "features"
    assert 0 < figures.p50_ms <= figures.p95_ms


@pytest.mark.proves("A9")
@pytest.mark.parametrize(
    ("ranked", "relevant", "value"),
    [
        (["a", "b"], {"a"}, 1.0),
        (["x", "a"], {"a"}, 0.5),
        (["a", "x", "b"], {"a", "b"}, (1 + 2 / 3) / 2),
        (["x"], {"a"}, 0.0),
        ([], {"a"}, 0.0),
    ],
)
def test_average_precision_follows_its_definition(ranked: list[str], relevant: set[str], value: float) -> None:
    assert average_precision(ranked, frozenset(relevant)) == pytest.approx(value)


@pytest.mark.proves("A9")
@pytest.mark.parametrize("content", ["", "{", '{"id": 1, "text": "x"}'])
def test_files_that_are_not_in_the_format_are_input_errors(tmp_path: Path, content: str) -> None:
    (tmp_path / "p.jsonl").write_text(content, encoding="utf-8")
    (tmp_path / "q.jsonl").write_text('{"question": "x", "relevant": ["1"]}', encoding="utf-8")
    with pytest.raises(InputError, match=r"p\.jsonl"):
        measure(tmp_path / "p.jsonl", tmp_path / "q.jsonl", limit_questions=None)
    with pytest.raises(InputError):
        measure(tmp_path / "missing.jsonl", tmp_path / "q.jsonl", limit_questions=None)


@pytest.mark.proves("A9")
@pytest.mark.timeout(240)
def test_the_fused_search_beats_its_parts_on_the_benchmark(shared: Path) -> None:
    folder = shared / "bench" / "obliqa"
    figures = measure(folder / "passages.jsonl", folder / "dev-questions.jsonl", limit_questions=150)
    assert figures.recall_at_10 >= 0.74
    assert figures.map_at_10 >= 0.58
    assert figures.map_at_10 >= max(figures.full_text.map_at_10, figures.vector.map_at_10)
