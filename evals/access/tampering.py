"""Changes to a stored audit, as data, and the statements that make each of them on every row that it can hit.

The attacker may write the database file and has no signing key. Nothing is verified here.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from casewright.contracts.base import Contract
from evals.case import CaseId

FILE = "audit-tampers.jsonl"
_BITS = (0, 5)
_PLACES = (0, 0.5, 1)
_ELSEWHERE = 1_000_000


class Tamper(Contract):
    """A line of the data file."""

    id: CaseId
    why: str
    kind: Literal["column", "removed", "cut", "cut_with_head", "swapped", "rewritten", "appended", "statement"]
    table: str = ""
    column: str = ""
    statement: str = ""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change to one copy."""

    words: str
    statements: tuple[tuple[str, tuple[Any, ...]], ...]


def changes(tamper: Tamper, connection: sqlite3.Connection) -> Iterator[Change]:
    """Every change of a kind to the rows that are there."""
    match tamper.kind:
        case "statement":
            yield _change(tamper.id, (tamper.statement, ()))
        case "column":
            yield from _flips(tamper, connection)
        case "removed":
            for rowid, value in _rows(tamper, connection):
                yield _change(f"{value!r} is gone", (f"DELETE FROM {tamper.table} WHERE rowid = ?", (rowid,)))  # noqa: S608
        case _:
            yield from _sequences(tamper, connection)


def _sequences(tamper: Tamper, connection: sqlite3.Connection) -> Iterator[Change]:
    """What changes the order or the end of the chain."""
    last = connection.execute("SELECT max(seq) FROM audit_events").fetchone()[0]
    match tamper.kind:
        case "cut" | "cut_with_head":
            for kept in range(last):
                head = (
                    "UPDATE audit_head SET seq = ?1, hash = (SELECT hash FROM audit_events WHERE seq = ?1)",
                    (kept,),
                )
                cut = ("DELETE FROM audit_events WHERE seq > ?", (kept,))
                also = (head,) if tamper.kind == "cut_with_head" and kept else ()
                yield _change(f"nothing after event {kept}", cut, *also)
        case "swapped":
            for one in range(1, last):
                moves = ((_ELSEWHERE, one), (one, one + 1), (one + 1, _ELSEWHERE))
                moved = [("UPDATE audit_events SET seq = ? WHERE seq = ?", move) for move in moves]
                yield _change(f"events {one} and {one + 1} change places", *moved)
        case "rewritten":
            gone = ("DELETE FROM audit_checkpoints WHERE seq = (SELECT max(seq) FROM audit_checkpoints)", ())
            body = ("UPDATE audit_events SET body = replace(body, ':', ': ') WHERE seq = ?", (last,))
            yield _change("the last checkpoint is gone and the last event another", gone, body)
        case _:
            added = (
                "INSERT INTO audit_events SELECT seq + 1, at_ns, kind, tenant, subject, agent, run_id, case_id, body, "
                "hash, substr(hash, 2) || 'a' FROM audit_events WHERE seq = ?",
                (last,),
            )
            yield _change("an event more than the head knows", added)


def _flips(tamper: Tamper, connection: sqlite3.Connection) -> Iterator[Change]:
    """Bits of characters at the beginning, the middle and the end of every value; of a number, low and high ones."""
    rows = _rows(tamper, connection)
    taken = {value for _, value in rows}
    query = f"UPDATE {tamper.table} SET {tamper.column} = ? WHERE rowid = ?"  # noqa: S608, names of our own file
    for rowid, value in rows:
        for changed in dict.fromkeys(flipped(value)):
            now = changed + _ELSEWHERE if tamper.column == "seq" and changed in taken else changed
            yield _change(
                f"{tamper.column} of row {rowid}: {str(value)[:40]!r} is {str(now)[:40]!r}", (query, (now, rowid))
            )


def flipped(value: Any) -> Iterator[Any]:
    """The value with one bit changed, in a few places."""
    if value == "":
        yield "x"
    elif isinstance(value, int):
        yield from (value ^ 1, value ^ (1 << 33))
    else:
        for place in _PLACES:
            at = round(place * (len(value) - 1))
            for bit in _BITS:
                yield value[:at] + chr(ord(value[at]) ^ (1 << bit)) + value[at + 1 :]


def _rows(tamper: Tamper, connection: sqlite3.Connection) -> list[tuple[int, Any]]:
    return connection.execute(f"SELECT rowid, {tamper.column} FROM {tamper.table} ORDER BY rowid").fetchall()  # noqa: S608


def _change(words: str, *statements: tuple[str, tuple[Any, ...]]) -> Change:
    return Change(words=words, statements=statements)
