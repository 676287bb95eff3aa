"""Writes the outcome of policy tests as JUnit XML, which CI servers show beside the change.

One suite per Rego file, one case per `test_` rule. It is deliberately *not* a reader of such files.
"""

import re
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from casewright.access.testing import TestOutcome, TestReport

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot carry, even escaped."""


def junit_xml(report: TestReport) -> str:
    """The report as one XML document."""
    failed = len(report.failed)
    seconds = sum(test.seconds for test in report.outcomes)
    rows = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites tests="{len(report.outcomes)}" failures="{failed}" time="{seconds:.6f}">',
    ]
    for path, group in groupby(
        sorted(report.outcomes, key=lambda test: (test.path, test.line)), lambda test: test.path
    ):
        tests = list(group)
        faults = sum(bool(test.fault) for test in tests)
        time = sum(test.seconds for test in tests)
        rows.append(f'<testsuite name={_attribute(path)} tests="{len(tests)}" failures="{faults}" time="{time:.6f}">')
        rows += [row for test in tests for row in _case(test)]
        rows.append("</testsuite>")
    return "\n".join([*rows, "</testsuites>", ""])


def _case(test: TestOutcome) -> list[str]:
    package, _, name = test.name.rpartition(".")
    head = (
        f"<testcase classname={_attribute(package)} name={_attribute(name)} "
        f'file={_attribute(test.path)} line="{test.line}" time="{test.seconds:.6f}"'
    )
    inside: list[str] = []
    if test.fault:
        where = escape(_clean(f"{test.path}:{test.line}"))
        inside.append(f"<failure message={_attribute(test.fault)}>{where}</failure>")
    if test.printed:
        inside.append(f"<system-out>{escape(_clean(chr(10).join(test.printed)))}</system-out>")
    return [f"{head}>", *inside, "</testcase>"] if inside else [f"{head}/>"]


def _attribute(text: str) -> str:
    return quoteattr(_clean(text), {"\n": "&#10;", "\t": "&#9;", "\r": "&#13;"})


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
