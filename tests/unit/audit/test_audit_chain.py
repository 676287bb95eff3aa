"""The chain's hash is that of the canonical JSON, and checkpoints come when they are due."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.audit.bench import measure_append
from casewright.audit.chain import GENESIS, EventRow, canonical_event, event_hash
from casewright.audit.extension import CHECKPOINT_EVENTS, CHECKPOINT_NS, Extender, Tail
from casewright.audit.prepared import prepare
from casewright.canonical import canonical_json, digest
from casewright.clock import ManualClock
from casewright.errors import InputError
from casewright.identity.keys import SigningKey
from tests.unit.audit.kernel import START_NS, kernel
from tests.unit.audit.test_audit_log import entry

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
BODY = st.dictionaries(TEXT, st.none() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT | st.lists(TEXT, max_size=2))
SECOND = 1_000_000_000


@given(texts=st.lists(TEXT, min_size=8, max_size=8), seq=st.integers(1, 2**50), at_ns=st.integers(0, 2**62), body=BODY)
def test_the_hash_is_that_of_the_canonical_json_of_all_other_fields(
    texts: list[str], seq: int, at_ns: int, body: dict[str, Any]
) -> None:
    kind, tenant, subject, agent, run_id, case_id, previous, hash_ = texts
    row = EventRow(
        seq, at_ns, kind, tenant, subject, agent, run_id, case_id, canonical_json(body).decode(), previous, hash_
    )
    fields = row._asdict() | {"at_ns": str(at_ns), "body": body}
    before, after = canonical_event(row)
    assert before + row.body.encode() + after == canonical_json(fields)
    del fields["hash"]
    assert event_hash(row) == digest(fields)


def chained(*steps_ns: int) -> list[int]:
    """Sequence numbers of the checkpoints when each append comes so long after the one before."""
    clock = ManualClock(START_NS)
    extender = Extender(SigningKey.generate(), clock)
    tail = Tail(head=None, last=None, checkpoint=None)
    found: list[int] = []
    from casewright.audit.chain import Head

    for step in steps_ns:
        clock.at_ns += step
        added = extender.extend(tail, [prepare(entry(), None)])
        checkpoint = tail.checkpoint
        if added.checkpoint is not None:
            checkpoint = (added.checkpoint["seq"], added.checkpoint["at_ns"])
            found.append(checkpoint[0])
        head = Head(seq=added.head["seq"], hash=added.head["hash"], signature=added.head["signature"])
        tail = Tail(head=head, last=(added.events[0].seq, added.events[0].hash), checkpoint=checkpoint)
    return found


@pytest.mark.proves("G1")
def test_a_checkpoint_comes_with_the_first_event_after_a_minute() -> None:
    assert chained(0, 59 * SECOND, SECOND - 1, 1, SECOND, 10 * CHECKPOINT_NS, 0) == [1, 4, 6]


@pytest.mark.proves("G1")
def test_a_checkpoint_comes_with_every_thousandth_event() -> None:
    assert chained(*[0] * (2 * CHECKPOINT_EVENTS + 1)) == [1, CHECKPOINT_EVENTS + 1, 2 * CHECKPOINT_EVENTS + 1]


async def test_a_checkpoint_is_the_head_of_its_time(tmp_path: Path) -> None:
    async with kernel(tmp_path) as world:
        event = await world.audit.append(entry())
        connection = sqlite3.connect(world.path)
        assert connection.execute("SELECT * FROM audit_checkpoints").fetchall() == [
            (1, event.at_ns, *connection.execute("SELECT hash, signature FROM audit_head").fetchone())
        ]
        connection.close()
        assert event.previous == GENESIS


async def test_the_bench_measures_what_it_names_on_a_folder_of_its_own(tmp_path: Path) -> None:
    found = await measure_append(tmp_path / "bench", appends=64)
    assert found.appends == 64
    for timing in (found.bare_lagging, found.bare_durable, found.lagging, found.durable, found.recorded):
        assert 0 < timing.p50_ms <= timing.p95_ms <= timing.p99_ms
    assert found.bare_lagging.p50_ms < found.lagging.p50_ms
    assert found.lagging_per_second > 0 and found.durable_per_second > 0
    for folder, appends in ((tmp_path / "bench", 64), (tmp_path / "other", 0)):
        with pytest.raises(InputError):
            await measure_append(folder, appends=appends)
