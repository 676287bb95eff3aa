"""The head of the report: the verdict of the gates, and each rule that does not hold with the cases behind it."""

from casewright.contracts.evaluation import EvalReport, GateFinding
from evals.report.cases import case_card, joined_rows
from evals.report.markup import Child, Markup, code, element, joined, listed, text
from evals.report.wording import duration, headline, money

OPENED = 3
"""So many cases of a rule are shown unfolded."""


def banner(report: EvalReport) -> Markup:
    """Verdict, and the figures that say how much was tried."""
    gate = report.gate
    kind = "none" if gate is None else "good" if gate.ok else "bad"
    sign = {"none": "–", "good": "✓", "bad": "✗"}[kind]
    words = [element("span", sign, class_="sign", aria_hidden="true"), " ", headline(report)]
    return element("div", element("p", *words, class_="verdict"), _sums(report), class_=f"banner {kind}", role="status")


def findings(report: EvalReport) -> Markup:
    """What does not hold; nothing where everything does."""
    gate = report.gate
    parts: list[Child] = []
    if gate is not None and gate.failed:
        parts = [element("h2", "What failed"), *(_finding(one) for one in gate.failed)]
    if gate is not None and gate.notes:
        parts += [element("h2", "What was left out"), listed([text(note) for note in gate.notes])]
    return joined(parts)


def _finding(finding: GateFinding) -> Markup:
    rows = joined_rows(
        [
            ("rule", code(finding.rule)),
            ("expected", text(finding.expected)),
            ("happened", text(finding.happened)),
        ]
    )
    cards = [case_card(case, opened=index < OPENED) for index, case in enumerate(finding.cases)]
    title = element("h3", element("span", "does not hold", class_="badge failed"), " ", finding.suite)
    return element("article", title, element("dl", *rows), *cards, class_="finding")


def _sums(report: EvalReport) -> Markup:
    ran = [one for one in report.suites if one.status == "ran"]
    facts = [
        ("suites", f"{len(ran)} of {len(report.suites)}"),
        ("cases", f"{sum(one.cases for one in ran):,} of {sum(one.planned for one in report.suites):,}"),
        ("not passed", f"{sum(one.failed + one.errored for one in ran):,}"),
        ("control cases", f"{sum(one.cases for one in report.controls):,}"),
        ("time", duration(report.seconds)),
        ("model cost", money(sum(one.cost_micro for one in ran))),
    ]
    tiles = [element("div", joined([element("dt", name), element("dd", value)])) for name, value in facts]
    return element("dl", *tiles, class_="tiles")
