"""The audit as a file that can be checked with a public key alone.

JSON Lines (jsonlines.org), canonical JSON on every line: one `{"event": …}` per event, then
one `{"head": …}` with the signature. The head makes a missing tail visible.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import rfc8785
from pydantic import ValidationError

from casewright.audit.chain import AuditVerification, ChainCheck, Head
from casewright.audit.log import event_of, stored_head, stored_rows
from casewright.audit.signing import Verifier
from casewright.canonical import canonical_json
from casewright.contracts.event import AuditEvent
from casewright.errors import InputError, StorageError
from casewright.storage.database import Database


async def export(database: Database, path: Path) -> int:
    """Write all events and the signed head to `path`; the number of events.

    The file appears whole or not at all.

    Raises:
        StorageError: an event cannot be read, or the file cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    count = 0
    try:
        with partial.open("wb") as lines:
            async with database.read() as connection:
                async for row in stored_rows(connection):
                    event = event_of(row)
                    if isinstance(event, str):
                        raise StorageError(f"{event}; run `casewright audit verify`, nothing was exported")
                    lines.write(_event_line(event))
                    count += 1
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
    return count


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


def _event_line(event: AuditEvent) -> bytes:
    fields = event.model_dump()
    return canonical_json({"event": fields | {"at_ns": str(event.at_ns)}}) + b"\n"


def _head_line(head: Head) -> bytes:
    return canonical_json({"head": {"seq": head.seq, "hash": head.hash, "signature": head.signature}}) + b"\n"


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as lines:
            yield from enumerate(lines, start=1)
    except OSError as error:
        raise InputError(f"the export {str(path)!r} cannot be read: {error.strerror}; name an exported file") from error


def _parsed(line: bytes) -> AuditEvent | Head | None:
    """The event or head of a line; None when any byte is not as we write it."""
    try:
        document: Any = json.loads(line)
        if canonical_json(document) + b"\n" != line:
            return None
        if set(document) == {"event"}:
            fields: dict[str, Any] = document["event"]
            return AuditEvent.model_validate(fields | {"at_ns": int(fields["at_ns"])}, strict=True)
        if set(document) == {"head"}:
            return _head(document["head"])
    except (ValueError, TypeError, KeyError, RecursionError, ValidationError, rfc8785.CanonicalizationError):
        return None
    return None


def _head(fields: dict[str, Any]) -> Head | None:
    seq, hash_, signature = fields["seq"], fields["hash"], fields["signature"]
    if len(fields) != 3 or type(seq) is not int or not isinstance(hash_, str) or not isinstance(signature, str):
        return None
    return Head(seq=seq, hash=hash_, signature=signature)
