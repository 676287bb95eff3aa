"""Read cases from a file: case files or complaints as a JSON list, complaints as CSV.

It reads and checks shapes only; `casewright.cases.store` admits and stores. A file that cannot
be read as a whole is an `InputError`; one bad row is a row with a problem, and the rest go on.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn, TypeVar, cast

from pydantic import ValidationError

from casewright.cases.complaints import COMPLAINT_FIELDS, REQUIRED_FIELDS, Complaint, case_from
from casewright.cases.records import ImportRow
from casewright.contracts.base import Contract
from casewright.contracts.case import CaseFile
from casewright.errors import InputError

MAX_BYTES = 64 * 1024 * 1024
_SHOWN_PROBLEMS = 3
ContractT = TypeVar("ContractT", bound=Contract)


def read_cases(path: Path) -> tuple[ImportRow, ...]:
    """The rows of a `.json` or `.csv` file, each a case or the reason why it is none.

    Rows are counted from 1; the header of a CSV file is not counted.

    Raises:
        InputError: the file is absent, too large, not UTF-8, neither JSON nor CSV, or holds no list.
    """
    text = _text(path)
    match path.suffix.lower():
        case ".csv":
            return tuple(_csv_rows(path, text))
        case ".json":
            return tuple(_json_row(number, row) for number, row in enumerate(_json_list(path, text), start=1))
        case suffix:
            raise InputError(f"{str(path)!r} ends in {suffix!r}; name a .json or a .csv file")


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputError(
                f"{str(path)!r} has {size:,} bytes and the limit is {MAX_BYTES:,}; split it and import the parts"
            )
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{str(path)!r} is not UTF-8 text (byte {error.start}); save it as UTF-8 and import it again"
        ) from error
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read: {error.strerror}; check the name and the rights") from error


def _json_list(path: Path, text: str) -> list[Any]:
    try:
        found = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{str(path)!r} is not JSON: {error.msg} in line {error.lineno}, column {error.colno}; correct it there"
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{str(path)!r} is not usable JSON: {error}; correct the value") from error
    if not isinstance(found, list):
        raise InputError(
            f"{str(path)!r} holds a JSON {_kind(found)}, not a list; put the cases between [ and ], also a single one"
        )
    return cast("list[Any]", found)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _json_row(number: int, row: object) -> ImportRow:
    if not isinstance(row, dict):
        return ImportRow(row=number, problem=f"a JSON {_kind(row)}, not an object with the fields of a case")
    if "complaint_id" in row:
        return _checked(number, cast("dict[str, object]", row), Complaint, case_from)
    return _checked(number, cast("dict[str, object]", row), CaseFile, lambda case: case)


def _csv_rows(path: Path, text: str) -> Iterator[ImportRow]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, None)
        _check_header(path, header or [])
        number = 0
        for values in reader:
            if values:
                number += 1
                yield _csv_row(number, header or [], values)
    except csv.Error as error:
        raise InputError(
            f"{str(path)!r} is not CSV: {error} in line {reader.line_num}; correct the quotes there, "
            "or import the records as JSON"
        ) from error


def _check_header(path: Path, header: list[str]) -> None:
    problems = [
        *(f"lacks the column {name!r}" for name in REQUIRED_FIELDS if name not in header),
        *(f"has the unknown column {name!r}" for name in header if name not in COMPLAINT_FIELDS),
        *(f"has the column {name!r} twice" for name in sorted({name for name in header if header.count(name) > 1})),
    ]
    if problems:
        raise InputError(
            f"the first line of {str(path)!r} {', '.join(problems[:_SHOWN_PROBLEMS])}; "
            f"the columns are {', '.join(COMPLAINT_FIELDS)}, separated by commas"
        )


def _csv_row(number: int, header: list[str], values: list[str]) -> ImportRow:
    if len(values) != len(header):
        return ImportRow(
            row=number, problem=f"{len(values)} fields under {len(header)} columns; check commas and quotes"
        )
    return _checked(number, dict(zip(header, values, strict=True)), Complaint, case_from)


def _checked(
    number: int, row: dict[str, object], model: type[ContractT], as_case: Callable[[ContractT], CaseFile]
) -> ImportRow:
    """The row as a case; types are taken strictly, so that a number is never read as a date."""
    try:
        return ImportRow(row=number, case=as_case(model.model_validate_json(json.dumps(row), strict=True)))
    except ValidationError as error:
        return ImportRow(row=number, problem=_problem(error))


def _problem(error: ValidationError) -> str:
    """What is wrong by field; the values stay out, they may be personal."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    shown = "; ".join(
        f"{'.'.join(str(part) for part in problem['loc']) or 'the row'}: {problem['msg']}"
        for problem in found[:_SHOWN_PROBLEMS]
    )
    more = len(found) - _SHOWN_PROBLEMS
    return shown + (f"; and {more} more" if more > 0 else "")


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list():
            return "list"
        case _:
            return "object"
