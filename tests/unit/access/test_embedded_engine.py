"""The embedded engine: one value or an error, on every thread, and never a worse policy than before."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from casewright.access.embedded import EmbeddedEngine
from casewright.access.engine import PolicyChange, UndefinedRuleError
from casewright.errors import PolicyError
from tests.unit.access.inputs import READ_CASE, changed, shipped_engine, write_policies

POLICY = """package casewright.x

import rego.v1

default answer := {answer}

answer := data.data.x.number if input.asked == true

_maybe if input.asked

_odd := count(input.asked)
"""
RULES = "casewright/x/a.rego"
DATA = "data/x/data.json"


def folder_of(tmp_path: Path, *, answer: str = "0", number: str = "1") -> Path:
    return write_policies(tmp_path, {RULES: POLICY.replace("{answer}", answer), DATA: f'{{"number": {number}}}'})


@pytest.mark.proves("D4", "D7")
def test_it_answers_rules_from_policies_and_data(tmp_path: Path) -> None:
    engine = EmbeddedEngine.load(folder_of(tmp_path))
    assert engine.evaluate("casewright.x.answer", {"asked": True}) == 1
    assert engine.evaluate("casewright.x.answer", {}) == 0
    assert len(engine.revision) == 64


@pytest.mark.proves("D4")
def test_what_is_undefined_unknown_or_fails_is_an_error_and_the_next_question_is_answered(tmp_path: Path) -> None:
    engine = EmbeddedEngine.load(folder_of(tmp_path))
    with pytest.raises(UndefinedRuleError, match="has no value"):
        engine.evaluate("casewright.x._maybe", {})
    for rule in ("casewright.x.absent", "casewright.y.answer", "casewright.x._odd"):
        with pytest.raises(PolicyError, match="failed on"):
            engine.evaluate(rule, {"asked": 5})
    for rule in ("", "answer", "data", "casewright.x.answer; true", "casewright.x[input.a]", "casewright.x.answer\n"):
        with pytest.raises(PolicyError, match="is no rule name"):
            engine.evaluate(rule, {})
    with pytest.raises(PolicyError, match="is refused"):
        engine.evaluate("casewright.x.answer", {"asked": 0.5})
    assert engine.evaluate("casewright.x.answer", {"asked": True}) == 1


@pytest.mark.proves("D4")
def test_every_thread_gets_the_same_answers() -> None:
    engine = shipped_engine()
    other = changed(READ_CASE, "actor", case_id="HL-2")
    expected = [engine.evaluate("casewright.access.decision", document) for document in (READ_CASE, other)]
    answers: list[object] = []

    def ask() -> None:
        for _ in range(3):
            answers.append([engine.evaluate("casewright.access.decision", document) for document in (READ_CASE, other)])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert answers == [expected] * 12


@pytest.mark.proves("D4")
def test_a_panic_of_the_native_engine_is_an_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """An engine that is carried to another thread panics with a BaseException."""
    from casewright.access import embedded

    engine = EmbeddedEngine.load(folder_of(tmp_path))
    engine.evaluate("casewright.x.answer", {})
    mine = embedded._engines()  # pyright: ignore[reportPrivateUsage]
    errors: list[PolicyError] = []

    def ask() -> None:
        embedded._engines().update(mine)  # pyright: ignore[reportPrivateUsage]
        try:
            engine.evaluate("casewright.x.answer", {})
        except PolicyError as error:  # anything else ends the thread, and the list stays empty
            errors.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join(timeout=30)
    assert len(errors) == 1
    assert "unsendable" in capfd.readouterr().err
    assert engine.evaluate("casewright.x.answer", {}) == 0


@pytest.mark.proves("D6", "D7")
def test_changed_policies_and_data_are_in_force_at_once(tmp_path: Path) -> None:
    engine = EmbeddedEngine.load(folder_of(tmp_path))
    first = engine.revision
    assert engine.reload_if_changed() is False
    folder_of(tmp_path, number="22")
    assert engine.evaluate("casewright.x.answer", {"asked": True}) == 1
    assert engine.reload_if_changed() is True
    assert engine.evaluate("casewright.x.answer", {"asked": True}) == 22
    assert engine.revision != first
    assert engine.reload_if_changed() is False


@pytest.mark.proves("D7")
@pytest.mark.parametrize(
    ("path", "text"),
    [
        (RULES, "package casewright.x\n\nimport rego.v1\n\ndefault answer := {\n"),
        (RULES, "package casewright.x\n\nimport rego.v1\n\nanswer := http.send({})\n"),
        (DATA, "{"),
    ],
)
def test_bad_policies_change_nothing_and_say_why(tmp_path: Path, path: str, text: str) -> None:
    engine = EmbeddedEngine.load(folder_of(tmp_path))
    first = engine.revision
    good = (tmp_path / path).read_text()
    (tmp_path / path).write_text(text)
    assert engine.reload_if_changed() is False
    assert engine.revision == first
    assert engine.evaluate("casewright.x.answer", {"asked": True}) == 1
    assert path in str(engine.last_error)
    (tmp_path / path).write_text(good)
    assert engine.reload_if_changed() is False
    assert engine.last_error is None


@pytest.mark.proves("D7")
def test_each_reload_and_each_refusal_is_news_exactly_once(tmp_path: Path) -> None:
    engine = EmbeddedEngine.load(folder_of(tmp_path))
    first = engine.revision
    folder_of(tmp_path, number="22")
    (reloads, news) = _reload_from_threads(engine)
    assert reloads.count(True) == 1
    assert [(change.kind, change.previous, change.revision) for change in news] == [("loaded", first, engine.revision)]
    (tmp_path / DATA).write_text("{")
    (reloads, news) = _reload_from_threads(engine)
    assert not any(reloads)
    assert [(change.kind, change.revision) for change in news] == [("refused", engine.revision)]
    assert DATA in news[0].detail
    folder_of(tmp_path, number="22")
    (reloads, news) = _reload_from_threads(engine)
    assert not any(reloads), "what was in force before is in force again"
    assert [(change.kind, change.previous) for change in news] == [("loaded", engine.revision)]
    assert engine.take_changes() == ()


def _reload_from_threads(engine: EmbeddedEngine) -> tuple[list[bool], list[PolicyChange]]:
    """Eight threads that each reload and take the news five times, as the guard does with every call."""
    reloads: list[bool] = []
    news: list[PolicyChange] = []

    def serve() -> None:
        for _ in range(5):
            reloads.append(engine.reload_if_changed())
            news.extend(engine.take_changes())

    threads = [threading.Thread(target=serve) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    news.extend(engine.take_changes())
    return reloads, news


@pytest.mark.proves("D7")
def test_policies_that_vanish_change_nothing(tmp_path: Path) -> None:
    engine = EmbeddedEngine.load(folder_of(tmp_path))
    (tmp_path / RULES).unlink()
    assert engine.reload_if_changed() is False
    assert engine.last_error is not None
    assert engine.evaluate("casewright.x.answer", {}) == 0


@pytest.mark.proves("D7")
def test_policies_that_run_too_long_are_refused(tmp_path: Path) -> None:
    loops = "".join(f"\tv{index} := _numbers[_]\n" for index in range(8))
    total = " + ".join(f"v{index}" for index in range(8))
    text = f"package casewright.x\n\nimport rego.v1\n\n_numbers := {list(range(60))}\n\n"
    write_policies(tmp_path, {RULES: text + f"many contains 1 if {{\n{loops}\t{total} < 0\n}}\n"})
    with pytest.raises(PolicyError, match=r"ran longer than 1.0 s"):
        EmbeddedEngine.load(tmp_path, limit_seconds=1.0)


@pytest.mark.proves("D7")
def test_policies_that_only_fail_when_they_are_evaluated_are_refused(tmp_path: Path) -> None:
    unsafe = "\n_unsafe if {\n\tsome first in [1]\n\tsome second in [1]\n\tfirst + second + third == 0\n}\n"
    write_policies(tmp_path, {RULES: POLICY.replace("{answer}", "0") + unsafe})
    with pytest.raises(PolicyError, match="crashed the engine"):
        EmbeddedEngine.load(tmp_path)


@pytest.mark.proves("D7")
def test_what_passed_is_remembered_by_revision_only(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    folder = folder_of(tmp_path / "policies")
    first = EmbeddedEngine.load(folder, cache=cache).revision
    markers = list(cache.iterdir())
    assert len(markers) == 1
    assert first in markers[0].name
    assert EmbeddedEngine.load(folder, cache=cache).revision == first
    (folder / RULES).write_text("package casewright.x\n\nimport rego.v1\n\nanswer := http.send({})\n")
    with pytest.raises(PolicyError, match="not an allowed builtin"):
        EmbeddedEngine.load(folder, cache=cache)
    assert list(cache.iterdir()) == markers


@pytest.mark.proves("D7")
def test_importing_the_access_package_does_not_load_the_native_engine() -> None:
    code = "import sys, casewright.access.embedded, casewright.access.decide; sys.exit('regorus' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], timeout=60, check=False)
    assert done.returncode == 0
