"""Puts the HTML report together: one file without anything remote and without a script.

Its content policy names its own style by its hash and allows nothing else, so that no request can leave it and nothing
runs in it whatever texts of cases it shows.
"""

import base64
import hashlib
from importlib.resources import files
from string import Template

from casewright import __version__
from evals.report.history import history
from evals.report.markup import NOTHING, Markup, element, joined
from evals.report.origin import cost_and_time, origin
from evals.report.record import Record
from evals.report.slices import slice_sections
from evals.report.suites import suite_table
from evals.report.verdict import banner, findings
from evals.report.worst import worst_cases


def report_page(record: Record) -> str:
    """The whole page."""
    folder = files("evals.report")
    style = folder.joinpath("page.css").read_text(encoding="utf-8")
    page = Template(folder.joinpath("page.html").read_text(encoding="utf-8"))
    report = record.report
    title = joined([f"Evaluation {report.eval_id}"]).html
    return page.substitute(policy=content_policy(style), style=style, title=title, body=_body(record).html)


def content_policy(style: str) -> str:
    """What the page may do: use this style, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _body(record: Record) -> Markup:
    report = record.report
    sections = (
        ("Gate", "gate", findings(report)),
        ("Suites", "suites", joined([element("h2", "Suites"), suite_table(record)])),
        ("Slices", "slices", slice_sections(record)),
        ("Over time", "time", history(record)),
        ("Cases", "cases", worst_cases(record)),
        ("Cost and time", "cost", cost_and_time(record)),
        ("Versions", "origin", origin(record)),
    )
    there = [one for one in sections if one[2] != NOTHING]
    ways = element("nav", *(element("a", name, href=f"#{place}") for name, place, _ in there), aria_label="Parts")
    parts = [element("section", part, id=place) for _, place, part in there]
    about = f"{report.selection} selection · ended {report.at} · Casewright {report.versions.software}"
    head = element("header", element("h1", "Evaluation"), element("p", about, class_="soft"))
    foot = (
        "A share has its exact (Clopper-Pearson) 95 % interval, a mean the normal approximation. Counted is what was "
        "executed, read or sent according to stores and audit; never what was proposed. How to read every part: "
        "docs/evals/README.md."
    )
    return element(
        "main", head, banner(report), ways, *parts, element("footer", f"{foot} Written by Casewright {__version__}.")
    )
