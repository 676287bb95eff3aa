"""The audit as a file that can be checked with a public key alone.

JSON Lines (jsonlines.org), canonical JSON on every line: one `{"event": …}` per event, then
one `{"head": …}` with the signature. The head makes a missing tail visible.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import rfc8785

from casewright.audit.chain import AuditVerification, ChainCheck, EventRow, Head, canonical_event
from casewright.audit.signing import Verifier
from casewright.audit.verification import stored_head, stored_pages
from casewright.canonical import canonical_json
from casewright.errors import InputError, StorageError
from casewright.storage.database import Database

_EVENT = b'{"event":'


async def export(database: Database, path: Path, *, progress: Callable[[int], None] | None = None) -> tuple[int, str]:
    """Write all events and the signed head to `path`; the last place of the chain.

    The file appears whole or not at all.

    Raises:
        StorageError: an event was changed, or the file cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    check = ChainCheck()
    try:
        with partial.open("wb") as lines:
            async with database.read_at_length() as connection:
                async for page in stored_pages(connection):
                    for row in page:
                        _refuse(check.problem_with(row))
                        lines.write(_event_line(row))
                    if progress is not None:
                        progress(check.seq)
                head = await stored_head(connection)
            if head is not None:
                lines.write(_head_line(head))
            lines.flush()
            os.fsync(lines.fileno())
        partial.replace(path)
    except OSError as error:
        raise StorageError(f"the export {str(path)!r} cannot be written: {error}; name another file") from error
    finally:
        partial.unlink(missing_ok=True)
    return check.seq, check.hash


def _refuse(problem: str) -> None:
    if problem:
        raise StorageError(f"{problem}; run `casewright audit verify`, nothing was exported")


def verify_export(path: Path, verifier: Verifier, *, expected_head: tuple[int, str] | None = None) -> AuditVerification:
    """Check an exported file offline, its completeness included.

    Raises:
        InputError: there is no such file, or it cannot be opened.
    """
    check = ChainCheck(expected_head)
    head: Head | None = None
    for number, line in _lines(path):
        if head is not None:
            return check.broken(check.seq + 1, f"line {number} comes after the head")
        found = _parsed(line)
        if found is None:
            return check.broken(check.seq + 1, f"line {number} is not a line of an audit export, or was changed")
        if isinstance(found, Head):
            head = found
            continue
        problem = check.problem_with(found)
        if problem:
            return check.broken(check.seq + 1, problem)
    return check.close(head, verifier)


def _event_line(row: EventRow) -> bytes:
    before, after = canonical_event(row)
    return b"".join((_EVENT, before, row.body.encode(), after, b"}\n"))


def _head_line(head: Head) -> bytes:
    return canonical_json({"head": {"seq": head.seq, "hash": head.hash, "signature": head.signature}}) + b"\n"


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as lines:
            yield from enumerate(lines, start=1)
    except OSError as error:
        raise InputError(f"the export {str(path)!r} cannot be read: {error.strerror}; name an exported file") from error


def _parsed(line: bytes) -> EventRow | Head | None:
    """The event or head of a line; None when any byte outside of an event's body is not as we write it."""
    try:
        document: Any = json.loads(line)
        if set(document) == {"event"}:
            return _event(document["event"], line)
        if set(document) == {"head"}:
            head = _head(document["head"])
            return head if head is not None and _head_line(head) == line else None
    except (ValueError, TypeError, KeyError, RecursionError, rfc8785.CanonicalizationError):
        return None
    return None


def _event(fields: dict[str, Any], line: bytes) -> EventRow | None:
    """The event with its body as it stands in the line, so that the hash covers its very bytes."""
    if not isinstance(fields["body"], dict):
        return None
    values: dict[str, Any] = fields | {"at_ns": int(fields["at_ns"]), "body": ""}
    row = EventRow(**values)
    before, after = canonical_event(row)
    head, tail = _EVENT + before, after + b"}\n"
    if len(head) + len(tail) > len(line) or not (line.startswith(head) and line.endswith(tail)):
        return None
    return row._replace(body=line[len(head) : len(line) - len(tail)].decode())


def _head(fields: dict[str, Any]) -> Head | None:
    seq, hash_, signature = fields["seq"], fields["hash"], fields["signature"]
    if len(fields) != 3 or type(seq) is not int or not isinstance(hash_, str) or not isinstance(signature, str):
        return None
    return Head(seq=seq, hash=hash_, signature=signature)
