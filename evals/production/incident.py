"""The review of a failure as a file: its fields, and whether the last one names the case that was added.

`docs/evals/failure-review.md` is the template. A field is a line that begins with its name in bold; the rest of the
file is for people.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from casewright.errors import InputError

FIELDS = ("Run", "What happened", "Why it could happen", "What is right", "Action", "Amount", "Cites", "Does not cite")
"""Of the template that a case is made from, beside `Eval`."""
EVAL = "Eval"
_FIELD = re.compile(r"^\*\*(?P<name>[A-Z][A-Za-z ]+):\*\*[ \t]*(?P<value>.*)$", re.MULTILINE)
NOT_YET = ("", "—", "-", "none yet")


@dataclass(frozen=True, kw_only=True)
class FailureReview:
    """What a review says."""

    fields: dict[str, str]

    def value(self, name: str) -> str:
        """A field's text; empty: it is not filled in."""
        found = self.fields.get(name, "").strip()
        return "" if found in NOT_YET or found.startswith("<") else found


def read_review(path: Path) -> FailureReview:
    """A filled-in template.

    Raises:
        InputError: it cannot be read, is no such review, or its last field is not `Eval`.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"the failure review {str(path)!r} cannot be read: {error}; give a copy of the template"
        ) from error
    names = [match["name"] for match in _FIELD.finditer(text)]
    missing = [name for name in (*FIELDS, EVAL) if name not in names]
    if missing or names[-1] != EVAL:
        raise InputError(
            f"{str(path)!r} is no failure review: {', '.join(missing) or 'its last field'} is not as in "
            "docs/evals/failure-review.md, whose last field is the eval that was added"
        )
    return FailureReview(fields={match["name"]: match["value"] for match in _FIELD.finditer(text)})


def with_eval(path: Path, case_id: str) -> None:
    """Write the id of the added case into the last field.

    Raises:
        InputError: the file cannot be written.
    """
    text = path.read_text(encoding="utf-8")
    found = [match for match in _FIELD.finditer(text) if match["name"] == EVAL][-1]
    try:
        path.write_text(f"{text[: found.start()]}**{EVAL}:** {case_id}{text[found.end() :]}", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be written: {error}; write {case_id!r} into its last field") from error
