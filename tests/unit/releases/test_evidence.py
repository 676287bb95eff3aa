"""What a report has to say before a release is made under it."""

import hashlib
from pathlib import Path

import pytest

from casewright.contracts.evaluation import EvalReport, GateFinding, GateVerdict
from casewright.errors import InputError
from casewright.releases.evidence import problems, read_report
from tests.support.releasing import VERSIONS, green, suite

RED = GateVerdict(
    ok=False,
    checked=3,
    failed=(GateFinding(suite="golden", rule="share >= 0.9", expected="0.9", happened="it was 0.4"),),
)


@pytest.mark.proves("H3")
def test_a_green_full_report_of_these_versions_carries_a_release() -> None:
    assert problems(green(), VERSIONS) == ()


@pytest.mark.proves("H3")
@pytest.mark.parametrize(
    ("report", "told"),
    [
        (green(selection="fast"), "fast selection"),
        (green(gate=None), "not asked"),
        (green(gate=GateVerdict(ok=True, checked=0, failed=())), "no rule"),
        (green(gate=GateVerdict(ok=False, checked=3, failed=())), "not green"),
        (green(gate=GateVerdict(ok=True, checked=3, failed=())), "every suite"),
        (green(gate=RED), "it was 0.4"),
        (green(gate=RED.model_copy(update={"ok": True})), "it was 0.4"),
        (green(suites=()), "no suite"),
        (green(suites=(suite(cases=1),)), "1 of 2 cases have no result"),
        (green(suites=(suite(errored=1),)), "1 cases could not be tried"),
        (green(controls=(suite(cases=0, enforced=False),)), "(control)"),
    ],
)
def test_what_speaks_against_a_report_is_said(report: EvalReport, told: str) -> None:
    assert told in "; ".join(problems(report, VERSIONS))


@pytest.mark.proves("H3")
@pytest.mark.parametrize("name", sorted(type(VERSIONS).model_fields))
def test_a_report_of_any_other_version_carries_nothing(name: str) -> None:
    other = 99 if name in ("graph", "state") else "other"
    (told,) = problems(green(VERSIONS.model_copy(update={name: other})), VERSIONS)
    assert told.startswith(f"{name} was")


def test_a_report_that_was_changed_after_it_was_given_out_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text(green(gate=RED).model_dump_json(), encoding="utf-8")
    given = hashlib.sha256(file.read_bytes()).hexdigest()
    assert read_report(file, expected=given).sha256 == given
    (tmp_path / "report.json.sha256").write_text(f"{given}  report.json\n", encoding="utf-8")
    file.write_text(green().model_dump_json(), encoding="utf-8")
    for expected in ("", given):
        with pytest.raises(InputError, match="is not the one"):
            read_report(file, expected=expected)


@pytest.mark.parametrize("text", ["", "{}", '{"schema_version": "eval-report/v2"}', "\x00"])
def test_what_is_no_report_is_refused_with_the_way_out(tmp_path: Path, text: str) -> None:
    file = tmp_path / "report.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="casewright eval run"):
        read_report(file)
