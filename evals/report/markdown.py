"""The report as Markdown: for a merge request, a release note, a terminal.

What a case says is text here, too: every character that Markdown or HTML would act on is written so that it shows as
itself, and no address becomes a link or a picture.
"""

import re
from collections.abc import Iterable, Sequence

from casewright.contracts.evaluation import CaseResult, EvalReport, GateFinding, SuiteResult
from commands.visible import visible_text
from evals.report.record import Record
from evals.report.suites import ordered
from evals.report.wording import amount, counted, duration, headline, interval, money, named, network, tried
from evals.report.worst import stages

MOST_SHOWN = 10
"""Of one suite's cases."""
_ACTED_ON = re.compile(r"[\\`*_\[\]|~$]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;", "://": "&#58;//", "www.": "www&#46;"}
_LINKED = re.compile("|".join(re.escape(part) for part in _ENTITIES), re.IGNORECASE)
_BEGINS = re.compile(r"^(?=[-+#=])|(?<=^\d)(?=[.)])|(?<=^\d\d)(?=[.)])")
_SPACE = re.compile(r"\s+")


def report_markdown(record: Record) -> str:
    """The whole document."""
    report = record.report
    title = f"# Evaluation {plain(report.eval_id)}"
    about = (
        f"{report.selection} selection, ended {plain(report.at)}, {plain(report.machine)}, {duration(report.seconds)}"
    )
    parts = [title, about, f"**{plain(headline(report))}**", *_failed(report), "## Suites", _suites(record)]
    parts += [*_worst(report), "## What was evaluated", _versions(report)]
    return "\n\n".join(parts) + "\n"


def plain(words: str) -> str:
    """A text that shows as itself, in one line."""
    line = _SPACE.sub(" ", visible_text(words)).strip()
    shown = _ACTED_ON.sub(lambda found: f"\\{found.group()}", line)
    shown = _LINKED.sub(lambda found: _ENTITIES[found.group().lower()], shown)
    return _BEGINS.sub(lambda _: "\\", shown)


def literal(words: str) -> str:
    """A command or an id as code, in one line, whatever backticks it holds."""
    line = _SPACE.sub(" ", visible_text(words)).strip()
    if not line:
        return ""
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {line} {fence}" if longest else f"`{line}`"


def _failed(report: EvalReport) -> list[str]:
    gate = report.gate
    if gate is None:
        return []
    parts = ["## What failed", *(_finding(one) for one in gate.failed)] if gate.failed else []
    notes = [f"- {plain(note)}" for note in gate.notes]
    return [*parts, *(["## What was left out", "\n".join(notes)] if notes else [])]


def _finding(finding: GateFinding) -> str:
    lines = [
        f"### {plain(finding.suite)}: {literal(finding.rule)}",
        "",
        f"- expected: {plain(finding.expected)}",
        f"- happened: {plain(finding.happened)}",
        *_cases(finding.cases),
    ]
    return "\n".join(lines)


def _cases(cases: Iterable[CaseResult]) -> list[str]:
    lines: list[str] = []
    for case in cases:
        lines.append(f"- {literal(case.case_id)} {case.verdict}{f' at {case.stage}' if case.stage else ''}")
        said = (("expected", case.expected), ("happened", case.happened), ("diagnosis", case.diagnosis))
        lines += [f"  - {name}: {plain(words)}" for name, words in said if words]
        lines += [f"  - open: {literal(case.trace)}"] * bool(case.trace)
    return lines


def _suites(record: Record) -> str:
    rows = [("suite", "figure", "value", "of", "95 % interval", "without enforcement", "accepted")]
    for suite in record.report.suites:
        rows += _rows(record, suite)
    return _table(rows)


def _rows(record: Record, suite: SuiteResult) -> list[tuple[str, ...]]:
    if suite.status == "did not run":
        return [(plain(suite.name), "did not run", plain(suite.because), "", "", "", "")]
    control = record.control_of(suite.name)
    rows: list[tuple[str, ...]] = [(f"**{plain(suite.name)}**", plain(tried(suite)), "", "", "", "", "")]
    for name, metric in ordered(suite.metrics):
        beside = control.metrics.get(name) if control else None
        known = record.accepted(suite.name, name)
        rows.append(
            (
                "",
                plain(named(name)),
                amount(metric, metric.value),
                counted(metric),
                interval(metric),
                amount(beside, beside.value) if beside else "",
                amount(metric, known) if known is not None else "",
            )
        )
    return rows


def _worst(report: EvalReport) -> list[str]:
    suites = [suite for suite in report.suites if suite.failures]
    if not suites:
        return []
    parts = ["## Cases that did not pass"]
    for suite in suites:
        head = f"### {plain(suite.name)}: {len(suite.failures):,} of {suite.planned:,}"
        where = [f"By the boundary that failed: {plain(stages(suite))}.", ""] if suite.worst else []
        parts.append("\n".join([head, "", *where, *_cases(suite.worst[:MOST_SHOWN])]))
    return parts


def _versions(report: EvalReport) -> str:
    rows = [
        ("what", "version"),
        *((name, literal(str(value)).replace("|", "\\|")) for name, value in report.versions.model_dump().items()),
    ]
    cost = sum(suite.cost_micro for suite in report.suites)
    return _table([*rows, ("network", plain(network(report.network))), ("model cost", money(cost))])


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])
