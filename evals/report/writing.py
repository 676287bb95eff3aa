"""Writes the two files of a report: at the end of a run, and by `casewright eval report` for an older one."""

from pathlib import Path

from casewright.errors import InputError
from evals.report.markdown import report_markdown
from evals.report.page import report_page
from evals.report.record import Record

HTML, MARKDOWN = "report.html", "report.md"


def write_report(record: Record, folder: Path) -> tuple[Path, Path]:
    """Write the HTML and the Markdown into a folder, which is made where it is missing.

    Raises:
        InputError: it cannot be written there.
    """
    page, text = folder / HTML, folder / MARKDOWN
    try:
        folder.mkdir(parents=True, exist_ok=True)
        page.write_text(report_page(record), encoding="utf-8")
        text.write_text(report_markdown(record), encoding="utf-8")
    except OSError as error:
        raise InputError(f"the report cannot be written to {str(folder)!r} ({error}); name another folder") from error
    return page, text
