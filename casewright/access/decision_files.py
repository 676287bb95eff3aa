"""Files of decisions for `policy replay`: one JSON document per line, with what was decided on it.

A line is `{"decision_id", "document", "effect", "codes", "revision", "missing"}`; a bare input/v1
document per line is read as well and then has nothing to reproduce. Where the decisions come from
is the caller's business.
"""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

from casewright.access.replay import ReplayInput
from casewright.contracts.base import Contract
from casewright.contracts.decision import INPUT_SCHEMA
from casewright.errors import InputError

MAX_LINE_CHARACTERS = 256 * 1024
_WAY_OUT = "write one JSON document per line, as `casewright policy replay --export` does"


class DecisionLine(Contract):
    """One line of such a file."""

    decision_id: str
    document: dict[str, Any]
    effect: str = ""
    codes: tuple[str, ...] = ()
    revision: str = ""
    missing: tuple[str, ...] = ()


def read_inputs(file: Path) -> Iterator[ReplayInput]:
    """The decisions of a file; blank lines are passed over.

    Raises:
        InputError: names the file and the line that is no decision.
    """
    try:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _input(file, number, line)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{str(file)!r} cannot be read: {error}; {_WAY_OUT}") from error


def write_inputs(file: Path, inputs: Iterable[ReplayInput]) -> int:
    """Write decisions to a new file that only its owner may read; how many.

    Raises:
        InputError: the file is there already or cannot be written.
    """
    count = 0
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            for one in inputs:
                line = DecisionLine(
                    decision_id=one.name,
                    document=dict(one.document),
                    effect=one.effect,
                    codes=one.codes,
                    revision=one.revision,
                    missing=one.missing,
                )
                out.write(line.model_dump_json() + "\n")
                count += 1
    except FileExistsError as error:
        raise InputError(f"{str(file)!r} is there already; name a new file with --export") from error
    except OSError as error:
        raise InputError(f"{str(file)!r} cannot be written: {error.strerror}; name another file") from error
    return count


def _input(file: Path, number: int, line: str) -> ReplayInput:
    where = f"{str(file)!r}, line {number}"
    if len(line) > MAX_LINE_CHARACTERS:
        raise InputError(f"{where} has more than {MAX_LINE_CHARACTERS} characters; {_WAY_OUT}")
    try:
        value: object = json.loads(line)
        if not isinstance(value, dict):
            raise TypeError("it is no object")
        entries = cast("dict[str, Any]", value)
        if entries.get("schema") == INPUT_SCHEMA:
            return ReplayInput(name=f"line {number}", document=entries)
        found = DecisionLine.model_validate(entries)
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{where} is no decision: {error}; {_WAY_OUT}") from error
    return ReplayInput(
        name=found.decision_id,
        document=found.document,
        effect=found.effect,
        codes=found.codes,
        revision=found.revision,
        missing=found.missing,
    )
