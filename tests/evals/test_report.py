"""The report of an evaluation: complete, self-contained, and safe whatever the texts of its cases are."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from casewright.contracts.evaluation import CaseResult, Metric
from casewright.errors import InputError
from evals.folder import EvalFolder, ResultLine
from evals.report.collecting import collected
from evals.report.markdown import literal, plain, report_markdown
from evals.report.markup import Markup, element, text
from evals.report.page import content_policy, report_page
from evals.report.record import Record, earlier_reports, for_elsewhere, read_report
from evals.report.slices import heats
from evals.report.wording import interval, percent
from evals.report.writing import write_report
from tests.evals.report_example import HOSTILE, TEMPLATES, answers, attacks, on_day, record, report
from tests.support.installation import CHECKOUT, process_environment

ALLOWED = """
html head meta title style body main header footer nav a section article h1 h2 h3 p div span b bdi code pre dl
dt dd ul li details summary table caption thead tbody tr th td figure figcaption svg desc line circle path
polygon polyline rect
"""
ATTRIBUTES = """
class id href lang charset name content http-equiv role aria-label aria-hidden open colspan scope d points
viewbox x y x1 x2 y1 y2 cx cy r rx width height
"""


class Seen(HTMLParser):
    """What a browser would see: elements, attributes and texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def with_words(words: str) -> Record:
    """The evaluation with one text in every place that a case or a suite fills."""
    case = CaseResult(
        case_id=words,
        verdict="failed",
        expected=words,
        happened=words,
        forbidden=(words,),
        stage="citation",
        diagnosis=words,
        evidence=(words,),
        trace=words,
        slices={words: words},
    )
    known = report()
    suites = tuple(
        one.model_copy(update={"title": words, "because": words, "worst": (case,), "failures": (words,)})
        for one in known.suites
    )
    assert known.gate is not None
    finding = known.gate.failed[0].model_copy(
        update={"suite": words, "rule": words, "expected": words, "happened": words, "cases": (case,)}
    )
    gate = known.gate.model_copy(update={"failed": (finding,), "notes": (words,)})
    changed = known.model_copy(update={"suites": suites, "gate": gate, "machine": words, "eval_id": words})
    return Record(report=changed, results={"golden": [case, case]})


@pytest.mark.proves("H2")
def test_the_verdict_comes_first_and_says_case_expected_happened_stage_and_command() -> None:
    words = "\n".join(Seen(report_page(record())).texts)
    order = (
        "Failed: 1 of 12 rules does not hold",
        'metric = "found", bound = "low", at_least = 0.9',
        "it is 71.0 %",
        "golden/customer-03",
        "the clause was at rank 42 and cut at 20",
        "casewright --home evals/evl-21/work/golden-1 runs explain run-7",
        "Suites",
    )
    place = 0
    for part in order:
        place = words.index(part, place)  # each after the one before it


def test_a_report_that_passed_or_was_not_gated_says_so_and_shows_no_failure() -> None:
    passed = report_page(record(weak=False))
    assert "Passed: all 12 rules hold" in passed
    assert "What failed" not in passed
    assert "Cases that did not pass" not in passed
    assert "Not gated" in report_page(Record(report=report(gated=False)))


def test_figures_stand_with_interval_control_accepted_value_and_the_suite_that_did_not_run() -> None:
    words = " ".join(Seen(report_page(record())).texts)
    for part in ("91.3 %", "21 of 23", "72.0 % to 98.9 %", "−8.7 points", "at most 3.4 %", "97.2 %", "105 of 108"):
        assert part in words, part
    assert "the package `agentdojo` is not here" in words


def test_the_page_holds_nothing_remote_no_script_and_nothing_that_its_policy_would_stop() -> None:
    page = report_page(record())
    seen = Seen(page)
    assert set(seen.elements) <= set(ALLOWED.split())
    assert seen.attributes <= set(ATTRIBUTES.split())
    assert seen.open == []
    ways = re.findall(r'href="([^"]*)"', page)
    assert len(ways) == 7
    assert all(way[0] == "#" and f'id="{way[1:]}"' in page for way in ways)
    style = page.partition("<style>")[2].partition("</style>")[0]
    policy = content_policy(style)
    assert "'none'" in policy
    assert "script-src" not in policy
    assert "sha256-" in policy
    assert f'content="{policy}"' in page
    assert "url(" not in style
    assert "@import" not in style


@pytest.mark.proves("H2")
@pytest.mark.parametrize("words", [HOSTILE, "", "\ud7ff\u2028\x00\u202e", "]]>--></style><svg onload=alert(1)>"])
def test_hostile_texts_in_every_place_stay_text(words: str) -> None:
    filled = with_words(words)
    seen = Seen(report_page(filled))
    assert set(seen.elements) <= set(ALLOWED.split())
    assert seen.attributes <= set(ATTRIBUTES.split())
    assert seen.open == []
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(report_markdown(filled))
    assert not re.search(r"<(?:script|img|svg|a)\b", rendered)
    assert "\u202e" not in rendered + report_page(filled)


@given(st.text())
def test_any_text_is_one_line_of_markdown_that_shows_it_and_nothing_else(words: str) -> None:
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    for written in (plain(words), literal(words)):
        tokens = parser.parse(f"- said: {written}\n")
        kinds = {child.type for token in tokens for child in token.children or ()}
        assert kinds <= {"text", "code_inline", "text_special"}
        assert [token.type for token in tokens] == [
            "bullet_list_open", "list_item_open", "paragraph_open", "inline",
            "paragraph_close", "list_item_close", "bullet_list_close",
        ]  # fmt: skip


@given(st.text())
def test_any_text_in_an_element_or_attribute_comes_back_as_one_text(words: str) -> None:
    seen = Seen(element("p", text(words), title=words).html)
    assert seen.elements == ["p", "bdi"]
    assert seen.attributes == {"title", "class"}


def test_addresses_and_names_become_no_links_in_markdown_that_makes_them() -> None:
    shown = plain("see https://evil.example, WWW.evil.example or mail me@evil.example")
    assert "://" not in shown
    assert "www." not in shown.lower()
    assert "@" not in shown


def test_names_of_elements_and_attributes_never_come_from_a_text() -> None:
    with pytest.raises(ValueError, match="names come from the code"):
        element("p onload=alert(1)")
    with pytest.raises(ValueError, match="names come from the code"):
        element("p", **{"x y": ""})
    assert element("p", Markup("<b></b>"), "<b>").html == "<p><b></b>&lt;b&gt;</p>"


def test_a_heat_table_counts_the_cases_of_two_slices_with_the_control_beside() -> None:
    known = record()
    (heat,) = [one for one in heats(known, "injection") if {one.rows, one.columns} == {"template", "place"}]
    assert sum(len(cell) for cell in heat.cells.values()) == len(attacks(enforced=True))
    row = heat.row_names.index("letter" if heat.rows == "place" else "zero width")
    page = report_page(known)
    caption = f"injection: cases that did not pass, {heat.rows} by {heat.columns} (beneath: without enforcement)"
    table = page.partition(caption)[2].partition("</table>")[0]
    rows = re.findall(r"<tr><th scope=\"row\">.*?</tr>", table)
    assert rows[row].count("0 of 3<div>3 of 3</div>") + rows[row].count("0 of 3<div>2 of 3</div>") == 6


def test_what_stopped_the_cases_is_counted_by_place() -> None:
    (heat,) = [one for one in heats(record(), "injection") if one.counts and one.rows == "template"]
    counted = {row: sum(len(heat.cells[row, column]) for column in heat.column_names) for row in heat.row_names}
    assert counted == dict.fromkeys(TEMPLATES, 18)


def test_slices_of_which_one_follows_from_the_other_make_no_table() -> None:
    doubled = [
        one.model_copy(update={"slices": {"a": str(n % 3), "b": f"b{n % 3}"}})
        for n, one in enumerate(answers(weak=True))
    ]
    assert heats(Record(report=report(), results={"golden": doubled}), "golden") == []


def test_the_course_names_cases_that_were_lost_since_the_report_before() -> None:
    words = "\n".join(Seen(report_page(record())).texts)
    assert "newly not passed: golden/customer-03, golden/reference-11, golden/reference-17" in words
    assert "3 earlier report(s)" in words
    assert "Over time" not in report_page(Record(report=report()))


def test_earlier_reports_are_those_of_the_same_selection_before_this_one(tmp_path: Path) -> None:
    for day, changed in ((19, {}), (20, {"selection": "fast"}), (22, {}), (18, {})):
        one = on_day(report(), day).model_copy(update=changed)
        folder = EvalFolder(tmp_path / one.eval_id)
        folder.path.mkdir()
        folder.write_report(one)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "report.json").write_text("{}", encoding="utf-8")
    assert [one.eval_id for one in earlier_reports(tmp_path, report())] == ["evl-18", "evl-19"]


def test_small_shares_keep_the_digits_that_tell_them_from_nothing() -> None:
    assert [percent(share) for share in (0, 0.00012, 0.0034, 0.5, 0.9996, 1)] == [
        "0 %", "0.012 %", "0.34 %", "50.0 %", "99.960 %", "100 %",
    ]  # fmt: skip
    assert interval(Metric(kind="share", n=3840, value=0, low=0, high=0.00096)) == "at most 0.096 %"


def test_what_is_no_report_is_refused_with_the_place_and_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="name an evaluation"):
        read_report(tmp_path)
    other = json.loads(report().model_dump_json()) | {"schema_version": "eval-report/v0"}
    (tmp_path / "report.json").write_text(json.dumps(other), encoding="utf-8")
    with pytest.raises(InputError, match="schema_version"):
        read_report(tmp_path)


def test_text_and_marks_can_be_read_in_light_and_in_dark() -> None:
    style = (CHECKOUT / "evals" / "report" / "page.css").read_text(encoding="utf-8")
    light, dark = (dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block)) for block in style.split("@media")[:2])
    for colors in (light, dark):
        for ink in ("ink", "soft", "good", "bad", "warn"):
            for paper in ("paper", "ground"):
                assert contrast(colors[ink], colors[paper]) >= 4.5, (ink, paper)
        heat = [name for name in colors if re.fullmatch(r"sound|bad\d|much\d", name)]
        assert len(heat) == 11
        assert all(contrast(colors["on"], colors[name]) >= 4.5 for name in heat)
        assert contrast(colors["accent"], colors["paper"]) >= 3


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def kept(folder: Path) -> Path:
    """An evaluation as the runner leaves it."""
    known = report()
    run = EvalFolder(folder / known.eval_id)
    run.path.mkdir(parents=True)
    run.write_report(known)
    for suite, enforced, results in (
        ("golden", True, answers(weak=True)),
        ("injection", True, attacks(enforced=True)),
        ("injection", False, attacks(enforced=False)),
    ):
        for result in results:
            run.append(ResultLine(suite=suite, enforced=enforced, result=result))
    return run.path


def test_a_report_is_written_with_the_results_that_stand_beside_it(tmp_path: Path) -> None:
    folder = kept(tmp_path)
    page, words = write_report(collected(read_report(folder), folder), tmp_path / "out")
    assert "what stopped the cases, by place" in page.read_text(encoding="utf-8")
    assert "clause was at rank 42" in words.read_text(encoding="utf-8")


def test_a_report_that_is_kept_elsewhere_names_no_path_of_this_machine(tmp_path: Path) -> None:
    folder = tmp_path / "evl-21"
    case = answers(weak=True)[3].model_copy(update={"trace": f"casewright --home {folder}/tried/golden-1 runs list"})
    suites = (report().suites[0].model_copy(update={"worst": (case,)}), *report().suites[1:])
    moved = for_elsewhere(report().model_copy(update={"suites": suites}), folder)
    assert moved.suites[0].worst[0].trace == "casewright --home evl-21/tried/golden-1 runs list"
    assert moved.model_copy(update={"suites": report().suites}) == report()


@pytest.mark.thorough
def test_the_command_writes_and_shows_the_newest_evaluation_of_a_data_folder(tmp_path: Path) -> None:
    folder = kept(tmp_path / "evals")
    written = said("eval", "report", home=tmp_path)
    assert written["verdict"] == "Failed: 1 of 12 rules does not hold"
    assert {Path(written[key]).parent for key in ("html", "markdown")} == {folder}
    assert said("eval", "show", str(folder / "report.json"), home=tmp_path)["eval_id"] == "evl-21"
    assert "name one" in said("eval", "report", home=tmp_path / "empty")["error"]["message"]


def said(*words: str, home: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "casewright.launch", "--home", str(home), "--json", *words]
    done = subprocess.run(
        command, env=process_environment(home), cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False
    )
    return json.loads(done.stdout)
