"""The picture of how cost grows: drawn from figures, refused early where it cannot be."""

import sys
from pathlib import Path
from typing import Any

import pytest

from casewright.errors import InputError
from commands.bench_corpus import GOALS
from commands.bench_corpus_plot import check, draw


def size(clauses: int, resident: int | None) -> dict[str, Any]:
    points = {"p50_ms": 2.0, "p95_ms": 4.0, "p99_ms": 5.0, "cpu_ms": 1.9}
    return {
        "clauses": clauses,
        "ingest": {"clauses_per_second": 2_000, "processor_seconds": resident, "peak_mb": resident},
        "index": {"bytes": 5_000 * clauses},
        "search": dict.fromkeys(("ours", "full_text", "hybrid"), points),
        "server": {"p95_ms": 9.0, "resident_mb": resident, "private_mb": resident},
    }


@pytest.mark.thorough
@pytest.mark.proves("A9")
@pytest.mark.parametrize("resident", [400, None])
def test_a_picture_is_drawn_also_where_the_system_tells_no_memory(tmp_path: Path, resident: int | None) -> None:
    path = tmp_path / "growth.png"
    check(path)
    sizes = [size(100_000, resident), size(21_000, resident)]
    draw({"sizes": sizes, "goals": GOALS, "machine": {"cores": 2, "load_before": 0.1}}, path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size > 10_000


def test_a_picture_that_could_not_be_written_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    for path in (tmp_path / "growth.jpg", tmp_path / "nowhere" / "growth.png"):
        with pytest.raises(InputError, match=path.name):
            check(path)


def test_without_matplotlib_the_way_to_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(InputError, match=r"casewright\[plots\]"):
        check(tmp_path / "growth.png")
