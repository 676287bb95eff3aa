"""The fault matrix as a table at the end of a test run: what was done to the gateway, and what it did.

A pytest plugin. A test adds its row with `record_property(ROW, (fault, how, did, requests, outcome))`.
"""

from typing import Any, cast

import pytest

ROW = "fault"
_HEAD = ("fault", "reply", "what the gateway did", "requests", "outcome")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write the table, if any row was tested."""
    reports: list[Any] = [one for kind in ("passed", "failed") for one in terminalreporter.getreports(kind)]
    rows = sorted({tuple(map(str, value)) for one in reports for name, value in one.user_properties if name == ROW})
    if not rows:
        return
    table = cast(list[tuple[str, ...]], [_HEAD, *rows])
    widths = [max(len(row[column]) for row in table) for column in range(len(_HEAD))]
    terminalreporter.section("faults of a model service")
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        terminalreporter.write_line("  ".join(cells).rstrip())
