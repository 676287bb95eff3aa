"""The cases that did not pass, by suite: counted by the boundary that failed, then one by one, worst first."""

from collections import Counter

from casewright.contracts.evaluation import SuiteResult
from evals.report.cases import case_card
from evals.report.markup import NOTHING, Child, Markup, code, element, joined
from evals.report.record import Record

MOST_SHOWN = 25
"""Of one suite; the ids of the rest follow."""


def worst_cases(record: Record) -> Markup:
    """The section; nothing where every case passed."""
    parts = [_suite(suite) for suite in record.report.suites if suite.failures]
    return joined([element("h2", "Cases that did not pass"), *parts]) if parts else NOTHING


def stages(suite: SuiteResult) -> str:
    """In words, how many of the worst cases each boundary failed: `retrieval 3, drafting 1`."""
    counted = Counter(case.stage or "nobody can tell" for case in suite.worst)
    return ", ".join(f"{stage} {count}" for stage, count in counted.most_common())


def _suite(suite: SuiteResult) -> Markup:
    cards: list[Child] = [case_card(case, opened=False) for case in suite.worst[:MOST_SHOWN]]
    rest = suite.failures[len(cards) :]
    if rest:
        ids = joined([part for one in rest for part in (code(one), " ")])
        cards.append(element("details", element("summary", f"{len(rest):,} more"), element("p", ids)))
    head = element("h3", f"{suite.name}: {len(suite.failures):,} of {suite.planned:,}")
    where = element("p", f"By the boundary that failed: {stages(suite)}.", class_="soft")
    return joined([head, where if suite.worst else NOTHING, *cards])
