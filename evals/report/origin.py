"""The foot of the report: cost and time by suite, what was evaluated, on which machine, over which data."""

from casewright.contracts.evaluation import SuiteResult
from evals.report.cases import joined_rows
from evals.report.markup import Markup, code, element, joined, text
from evals.report.plots import bar_plot
from evals.report.record import Record
from evals.report.wording import duration, money, network


def cost_and_time(record: Record) -> Markup:
    """What each suite took; its control stands beside."""
    ran = [one for one in (*record.report.suites, *record.report.controls) if one.status == "ran"]
    longest = max((one.seconds for one in ran), default=0.0) or 1.0
    names = ("suite", "cases", "time", "", "tokens", "cost")
    head = element("tr", *(element("th", name, scope="col") for name in names))
    table = element("table", element("thead", head), element("tbody", *(_row(one, longest) for one in ran)))
    return joined([element("h2", "Cost and time"), element("div", table, class_="wide")])


def origin(record: Record) -> Markup:
    """Versions, machine and data."""
    report = record.report
    versions = [(name, code(str(value))) for name, value in report.versions.model_dump().items()]
    first = [
        ("evaluation", code(report.eval_id)),
        ("ended", report.at),
        ("selection", report.selection),
        ("machine", report.machine),
        ("network", text(network(report.network))),
    ]
    data = sorted({entry for suite in report.suites for entry in suite.data.items()})
    rows = [element("tr", element("th", name, scope="row"), element("td", code(sha))) for name, sha in data]
    table = element("table", element("caption", "Data files, SHA-256"), element("tbody", *rows), class_="digests")
    facts = element("dl", *joined_rows([*first, *versions]))
    return joined([element("h2", "What was evaluated"), facts, element("div", table, class_="wide")])


def _row(suite: SuiteResult, longest: float) -> Markup:
    name = suite.name if suite.enforced else f"{suite.name}, without enforcement"
    said = duration(suite.seconds)
    cells = (
        element("th", name, scope="row"),
        element("td", f"{suite.cases:,}", class_="figure"),
        element("td", said, class_="figure"),
        element("td", bar_plot(f"{name}: time", suite.seconds / longest, said)),
        element("td", f"{suite.tokens:,}", class_="figure"),
        element("td", money(suite.cost_micro), class_="figure"),
    )
    return element("tr", *cells)
