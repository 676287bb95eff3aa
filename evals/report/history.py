"""How figures moved over earlier reports of the same selection, and which cases were lost and won since the last."""

from casewright.contracts.evaluation import Metric, SuiteResult
from evals.report.markup import NOTHING, Markup, element, joined, text
from evals.report.plots import trend_plot
from evals.report.record import Record
from evals.report.suites import ordered
from evals.report.wording import amount, named

MOST_PLOTS = 6
"""A suite shows its figures in this number; those that moved come first."""
MOST_NAMED = 12


def history(record: Record) -> Markup:
    """The section; nothing where there is nothing earlier."""
    if not record.earlier:
        return NOTHING
    said = (
        f"{len(record.earlier)} earlier report(s) of the {record.report.selection} selection, from "
        f"{record.earlier[0].at[:10]}. The line is the value, the band its interval, the dashes the accepted value."
    )
    parts = [part for suite in record.report.suites if (part := _suite(record, suite)) is not NOTHING]
    return joined([element("h2", "Over time"), element("p", said, class_="legend"), *parts])


def _suite(record: Record, suite: SuiteResult) -> Markup:
    course = record.course(suite.name)
    if len(course) < 2 or suite.status != "ran":
        return NOTHING
    figures = [
        _figure(f"{suite.name}: {named(name)}", [one.metrics[name] for one in course if name in one.metrics], value)
        for name, value in ((name, record.accepted(suite.name, name)) for name in _moved_first(course))
    ]
    changes = _changes(course[-2], suite)
    return joined([element("h3", suite.name), element("div", *figures, class_="trends"), changes])


def _moved_first(course: tuple[SuiteResult, ...]) -> list[str]:
    now, before = course[-1].metrics, course[-2].metrics
    names = [name for name, _ in ordered(now)]
    moved = [name for name in names if name in before and before[name].value != now[name].value]
    return sorted(names, key=lambda name: (name not in moved, names.index(name)))[:MOST_PLOTS]


def _figure(title: str, values: list[Metric], accepted: float | None) -> Markup:
    plot = trend_plot(title, values, accepted)
    if plot is NOTHING:
        return NOTHING
    last, known = values[-1], [value.value for value in values]
    words = f"{title.partition(': ')[2]}: {amount(last, last.value)}"
    if min(known) != max(known):
        words += f" (was {amount(last, min(known))} to {amount(last, max(known))})"
    return element("figure", plot, element("figcaption", words))


def _changes(before: SuiteResult, now: SuiteResult) -> Markup:
    """In words, since which report which cases went the other way."""
    parts: list[str] = []
    if before.cases_digest != now.cases_digest:
        parts.append("the cases are not the same as in the report before")
    lost = sorted(set(now.failures) - set(before.failures))
    won = sorted(set(before.failures) - set(now.failures))
    parts += [_named("newly not passed", lost)] * bool(lost) + [_named("passed again, or gone", won)] * bool(won)
    return element("p", text("; ".join(parts)), class_="soft") if parts else NOTHING


def _named(what: str, ids: list[str]) -> str:
    tail = f" and {len(ids) - MOST_NAMED} more" if len(ids) > MOST_NAMED else ""
    return f"{what}: {', '.join(ids[:MOST_NAMED])}{tail}"
