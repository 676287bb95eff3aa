"""Reads data sets: JSON Lines, one frozen model per line, with the digest that a report and a gate name."""

import hashlib
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from casewright.contracts.base import Contract
from casewright.errors import InputError
from evals.suite import DATASETS

Line = TypeVar("Line", bound=Contract)


def read_lines(name: str, model: type[Line], *, folder: Path = DATASETS) -> tuple[Line, ...]:
    """The lines of a data file, in order.

    Raises:
        InputError: it is missing, empty, or a line is not in the format; the message names the line.
    """
    path = folder / name
    found: list[Line] = []
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found.append(model.model_validate_json(line))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise InputError(f"line {number} of {str(path)!r}: {where}: {first['msg']}; mend the line") from error
    if not found:
        raise InputError(f"{str(path)!r} has no lines; restore it")
    _check_ids(path, found)
    return tuple(found)


def file_digest(name: str, *, folder: Path = DATASETS) -> str:
    """SHA-256 of a data file, in hexadecimal.

    Raises:
        InputError: it is missing.
    """
    return hashlib.sha256(_text(folder / name).encode()).hexdigest()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the data file {str(path)!r} cannot be read ({error}); restore it") from error


def _check_ids(path: Path, lines: list[Line]) -> None:
    seen: set[str] = set()
    for line in lines:
        name = str(getattr(line, "id", ""))
        if name and name in seen:
            raise InputError(f"{str(path)!r} has the id {name!r} twice; give one of them another")
        seen.add(name)
