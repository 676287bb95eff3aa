"""One case in the report: what was expected, what happened, which boundary failed, and how its records are opened."""

from collections.abc import Iterable

from casewright.contracts.evaluation import CaseResult
from evals.report.markup import NOTHING, Child, Markup, code, element, joined, listed, text


def case_card(case: CaseResult, *, opened: bool) -> Markup:
    """A case that can be folded away without a script."""
    head = element(
        "summary",
        element("span", case.verdict, class_=f"badge {case.verdict}"),
        " ",
        element("span", code(case.case_id), class_="name"),
        *([" ", element("span", case.stage, class_="badge stage")] if case.stage else []),
    )
    body = element("dl", *joined_rows(_rows(case)))
    shown = {"open": "open"} if opened else {}
    return element("details", head, body, class_="case", **shown)


def joined_rows(rows: Iterable[tuple[str, Child]]) -> list[Markup]:
    """Terms and what is said of them, as rows of a description list; those without a word are left out."""
    return [joined([element("dt", term), element("dd", said)]) for term, said in rows if said not in ("", NOTHING)]


def _rows(case: CaseResult) -> list[tuple[str, Child]]:
    return [
        ("expected", text(case.expected) if case.expected else ""),
        ("happened", text(case.happened) if case.happened else ""),
        ("forbidden and seen", text(", ".join(case.forbidden)) if case.forbidden else ""),
        ("diagnosis", text(case.diagnosis) if case.diagnosis else ""),
        ("evidence", listed([text(one) for one in case.evidence])),
        ("slices", text(", ".join(f"{name}: {value}" for name, value in sorted(case.slices.items())))),
        ("open its records", element("pre", code(case.trace)) if case.trace else ""),
    ]
