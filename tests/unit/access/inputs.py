"""Input documents for access tests, and the shipped policies on the embedded engine."""

from functools import cache
from pathlib import Path

from casewright.access.embedded import EmbeddedEngine
from casewright.config import app_root
from evals.access.documents import EXECUTE, READ_CASE, Document, typed

__all__ = ["EXECUTE", "POLICIES", "READ_CASE", "Document", "changed", "shipped_engine", "typed", "write_policies"]
POLICIES = app_root() / "policies"


def changed(document: Document, section: str, **fields: object) -> Document:
    """A copy of `document` with other fields in one section."""
    return document | {section: document[section] | fields}


@cache
def shipped_engine() -> EmbeddedEngine:
    """The policies of this checkout."""
    return EmbeddedEngine.load(POLICIES)


def write_policies(folder: Path, files: dict[str, str]) -> Path:
    """A policy folder with these files."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder
