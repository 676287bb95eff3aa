"""The table of the suites: every figure with its interval, its control, and the accepted value beside it."""

from casewright.contracts.evaluation import Metric, SuiteResult
from evals.report.markup import NOTHING, Child, Markup, element, joined, text
from evals.report.plots import interval_plot
from evals.report.record import Record
from evals.report.wording import amount, counted, interval, named, percent, tried

_COLUMNS = ("figure", "value", "95 % interval", "", "without enforcement", "accepted")


def suite_table(record: Record) -> Markup:
    """All suites; those with something that did not pass are marked."""
    if not record.report.suites:
        return element("p", "No suite was asked to run.")
    head = element("tr", *(element("th", name, scope="col") for name in _COLUMNS))
    bodies = [_body(record, suite) for suite in record.report.suites]
    legend = element(
        "p",
        "Dot: the value, on its 95 % interval. Diamond: the same cases with enforcement taken away, where the attacks "
        "have to succeed. Tick: the last accepted value. Shares run from 0 to 100 %, means from 0.",
        class_="legend",
    )
    return joined([legend, element("div", element("table", element("thead", head), *bodies), class_="wide")])


def _body(record: Record, suite: SuiteResult) -> Markup:
    control = record.control_of(suite.name)
    rows = [_head(record, suite)]
    if suite.status == "did not run":
        said = element("td", text(suite.because or "nobody said why"), colspan=str(len(_COLUMNS)))
        return element("tbody", *rows, element("tr", said))
    for name, metric in ordered(suite.metrics):
        beside = control.metrics.get(name) if control else None
        rows.append(_row(f"{suite.name}: {named(name)}", name, metric, beside, record.accepted(suite.name, name)))
    return element("tbody", *rows)


def ordered(metrics: dict[str, Metric]) -> list[tuple[str, Metric]]:
    """Shares first, `passed` before all; then means, by name."""
    return sorted(metrics.items(), key=lambda entry: (entry[1].kind != "share", entry[0] != "passed", entry[0]))


def _head(record: Record, suite: SuiteResult) -> Markup:
    kind, sign = _sign(record, suite)
    cell = element(
        "th",
        element("span", suite.name, class_="suite"),
        " ",
        element("span", sign, class_=f"badge {kind}"),
        element("div", text(suite.title), f" · {tried(suite)}", class_="soft"),
        colspan=str(len(_COLUMNS)),
        scope="colgroup",
        class_="group",
    )
    return element("tr", cell)


def _sign(record: Record, suite: SuiteResult) -> tuple[str, str]:
    """The colour and the words of a suite: what its gate says comes first."""
    gate = record.report.gate
    if gate is not None and any(one.suite == suite.name for one in gate.failed):
        return "failed", "gate failed"
    if suite.status == "did not run":
        return "skipped", "did not run"
    return ("skipped", "not every case passed") if suite.failures else ("passed", "every case passed")


def _row(title: str, name: str, metric: Metric, control: Metric | None, accepted: float | None) -> Markup:
    cells: list[Child] = [
        element("th", named(name), scope="row"),
        element("td", element("b", amount(metric, metric.value)), _beneath(_counted(metric)), class_="figure"),
        element("td", interval(metric), class_="figure"),
        element("td", interval_plot(title, metric, control, accepted)),
        element("td", NOTHING if control is None else _control(control), class_="figure"),
        element("td", NOTHING if accepted is None else _accepted(metric, accepted), class_="figure"),
    ]
    return element("tr", *cells)


def _counted(metric: Metric) -> str:
    tail = f", p95 {amount(metric, metric.p95)}" if metric.p95 is not None else ""
    return counted(metric) + tail


def _control(control: Metric) -> Markup:
    return joined([amount(control, control.value), _beneath(counted(control))])


def _accepted(metric: Metric, accepted: float) -> Markup:
    change = metric.value - accepted
    if change == 0:
        return joined([amount(metric, accepted), _beneath("the same")])
    moved = f"{percent(abs(change))[:-2]} points" if metric.kind == "share" else amount(metric, abs(change))
    return joined([amount(metric, accepted), _beneath(f"{'+' if change > 0 else '−'}{moved}")])


def _beneath(words: str) -> Markup:
    return element("div", words, class_="soft")
