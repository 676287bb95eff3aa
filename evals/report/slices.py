"""The slices of a suite: one bar each, and heat tables of two slices against each other where results were kept."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from casewright.contracts.evaluation import CaseResult, SliceFigures, SuiteResult
from evals.report.markup import NOTHING, Child, Markup, element, joined, text
from evals.report.plots import bar_plot
from evals.report.record import Record
from evals.report.wording import named, percent

MOST_ROWS, MOST_COLUMNS = 60, 16
"""A table beyond this is not read by anybody; the results hold the rest."""
BARRED = 12
"""A slice with more values than this is shown as its worst ones."""
DENSE = 3
"""Where all passed, a table with fewer cases in a cell than this says less than the bars."""
STEPS = 5
BOUNDARY = "boundary"
"""The slice by which a suite says what stopped a case; it is counted, not scored."""


@dataclass(frozen=True, kw_only=True)
class Heat:
    """Cases by two of their slices."""

    rows: str
    columns: str
    cells: Mapping[tuple[str, str], Sequence[CaseResult]]
    controls: Mapping[tuple[str, str], Sequence[CaseResult]]
    counts: bool
    """Counted instead of scored: the columns are what stopped the cases."""

    @property
    def row_names(self) -> list[str]:
        return sorted({row for row, _ in self.cells})

    @property
    def column_names(self) -> list[str]:
        return sorted({column for _, column in self.cells})


def slice_sections(record: Record) -> Markup:
    """Every suite with slices, folded except those with something that did not pass."""
    parts = [_suite(record, suite) for suite in record.report.suites if suite.slices]
    return joined([element("h2", "Slices"), *parts]) if parts else NOTHING


def heats(record: Record, suite: str) -> list[Heat]:
    """The heat tables of a suite: each slice against what stopped the cases, and each pair of slices."""
    results, controls = record.results.get(suite, ()), record.controls.get(suite, ())
    keys = sorted({key for result in results for key in result.slices})
    pairs = [(first, second) for first, second in combinations([key for key in keys if key != BOUNDARY], 2)]
    stopped = [key for key in keys if key != BOUNDARY] if BOUNDARY in keys else []
    found = [_heat(results, (), key, BOUNDARY, counts=True) for key in stopped]
    found += [_heat(results, controls, *_long_first(results, pair), counts=False) for pair in pairs]
    return [heat for heat in found if _readable(heat)]


def _suite(record: Record, suite: SuiteResult) -> Markup:
    groups: dict[str, list[SliceFigures]] = defaultdict(list)
    for one in suite.slices:
        groups[one.name.partition("=")[0]].append(one)
    tables = [_bars(suite.name, key, group) for key, group in sorted(groups.items())]
    tables += [_table(suite.name, heat) for heat in heats(record, suite.name)]
    shown = {"open": "open"} if suite.failures else {}
    name = element("summary", element("span", suite.name, class_="suite"), f" by {', '.join(sorted(groups))}")
    return element("details", name, element("div", *tables, class_="columns"), **shown)


def _bars(suite: str, key: str, group: Sequence[SliceFigures]) -> Markup:
    worst_first = sorted(group, key=lambda one: (one.passed / max(one.cases, 1), one.name))[:BARRED]
    if all(one.passed == one.cases for one in group):
        values = ", ".join(f"{one.name.partition('=')[2]} {one.cases:,}" for one in group)
        return element("p", f"By {key}, every case passed: ", text(values), class_="soft")
    rows: list[Child] = []
    for one in worst_first:
        value, share = one.name.partition("=")[2], one.passed / max(one.cases, 1)
        said = f"{one.passed:,} of {one.cases:,} passed"
        bar = bar_plot(f"{suite}, {one.name}", share, said)
        cells = (element("th", value, scope="row"), element("td", bar), element("td", said, class_="figure"))
        rows.append(element("tr", *cells))
    left = f", the worst {len(worst_first)} of {len(group)}" if len(group) > len(worst_first) else ""
    caption = element("caption", f"{suite} by {key}{left}")
    return element("table", caption, element("tbody", *rows), class_="bars")


def _heat(
    results: Sequence[CaseResult], controls: Sequence[CaseResult], rows: str, columns: str, *, counts: bool
) -> Heat:
    return Heat(
        rows=rows, columns=columns, cells=_cells(results, rows, columns),
        controls=_cells(controls, rows, columns), counts=counts,
    )  # fmt: skip


def _cells(results: Sequence[CaseResult], rows: str, columns: str) -> dict[tuple[str, str], list[CaseResult]]:
    cells: dict[tuple[str, str], list[CaseResult]] = defaultdict(list)
    for one in results:
        if rows in one.slices and columns in one.slices:
            cells[one.slices[rows], one.slices[columns]].append(one)
    return cells


def _long_first(results: Sequence[CaseResult], pair: tuple[str, str]) -> tuple[str, str]:
    """The slice with more values becomes the rows."""
    values = [len({one.slices[key] for one in results if key in one.slices}) for key in pair]
    return pair if values[0] >= values[1] else (pair[1], pair[0])


def _readable(heat: Heat) -> bool:
    rows, columns = len(heat.row_names), len(heat.column_names)
    crossed = len(heat.cells) > max(rows, columns)  # otherwise one slice follows from the other
    cases = [one for cell in heat.cells.values() for one in cell]
    dense = bool(heat.controls) and len(cases) >= DENSE * len(heat.cells)
    said = heat.counts or dense or any(one.verdict != "passed" for one in cases)
    return said and 1 < rows <= MOST_ROWS and columns <= MOST_COLUMNS and (crossed or heat.counts)


def _table(suite: str, heat: Heat) -> Markup:
    said = (
        f"{suite}: what stopped the cases, by {heat.rows}"
        if heat.counts
        else f"{suite}: cases that did not pass, {heat.rows} by {heat.columns}"
    )
    if any(heat.controls.values()):
        said += " (beneath: without enforcement)"
    columns = heat.column_names
    head = element("tr", element("td"), *(element("th", named(name), scope="col") for name in columns))
    rows = [element("tr", element("th", row, scope="row"), *_row(heat, row, columns)) for row in heat.row_names]
    table = element("table", element("caption", said), element("thead", head), element("tbody", *rows), class_="heat")
    return element("div", table, class_="wide")


def _row(heat: Heat, row: str, columns: Sequence[str]) -> list[Markup]:
    if heat.counts:
        total = Counter({column: len(heat.cells.get((row, column), ())) for column in columns})
        whole = max(sum(total.values()), 1)
        return [_counted(total[column], whole) for column in columns]
    return [_scored(heat.cells.get((row, column), ()), heat.controls.get((row, column), ())) for column in columns]


def _scored(results: Sequence[CaseResult], controls: Sequence[CaseResult]) -> Markup:
    if not results:
        return element("td", "", class_="none")
    bad = sum(one.verdict != "passed" for one in results)
    parts: list[Child] = [f"{bad} of {len(results)}"]
    if controls:
        parts.append(element("div", f"{sum(one.verdict != 'passed' for one in controls)} of {len(controls)}"))
    return element("td", *parts, class_="sound" if not bad else f"bad{_step(bad / len(results))}")


def _counted(cases: int, whole: int) -> Markup:
    if not cases:
        return element("td", "", class_="none")
    return element(
        "td", joined([str(cases), element("div", percent(cases / whole))]), class_=f"much{_step(cases / whole)}"
    )


def _step(share: float) -> int:
    """Which of the steps of colour, from 1."""
    return max(1, min(STEPS, -int(-share * STEPS // 1)))
