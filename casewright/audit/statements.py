"""The statements that read the end of the chain and extend it, for both ways to the database.

SQLAlchemy runs them in somebody's transaction; the writer's bare SQLite connection runs the same
ones as text (`as_text`), with named parameters.
"""

from typing import Any

from sqlalchemy import Insert, Select, Update, func, insert, literal, select, union_all, update
from sqlalchemy.dialects import postgresql, sqlite

from casewright.audit.extension import HEAD_ID
from casewright.audit.meter import COUNTED
from casewright.storage.tables import audit_checkpoints, audit_events, audit_head, decisions, run_meters

HEAD = (
    select(audit_head.c.seq, audit_head.c.hash, audit_head.c.signature)
    .where(audit_head.c.id == HEAD_ID)
    .with_for_update()
)
LAST = select(audit_events.c.seq, audit_events.c.hash).order_by(audit_events.c.seq.desc()).limit(1)
CHECKPOINT = (
    select(audit_checkpoints.c.seq, audit_checkpoints.c.at_ns).order_by(audit_checkpoints.c.seq.desc()).limit(1)
)
ADD_EVENT = insert(audit_events)
ADD_DECISION = insert(decisions)
ADD_HEAD = insert(audit_head)
MOVE_HEAD = update(audit_head)
"""There is one row only."""
ADD_CHECKPOINT = insert(audit_checkpoints)


def _wrong_meter() -> Select[str, int, int]:
    """Runs whose meter is not the number of their own events, from either side; a fork's began with its parent's."""
    counts = union_all(
        select(run_meters.c.tenant, run_meters.c.run_id, run_meters.c.calls.label("metered"), literal(0).label("made")),
        select(audit_events.c.tenant, audit_events.c.run_id, literal(0), literal(1)).where(
            audit_events.c.kind.in_(sorted(COUNTED)), audit_events.c.run_id != ""
        ),
    ).subquery()
    metered, made = func.sum(counts.c.metered), func.sum(counts.c.made)
    query = select(counts.c.run_id, metered.label("metered"), made.label("made"))
    return query.group_by(counts.c.tenant, counts.c.run_id).having(metered != made).order_by(counts.c.run_id)


WRONG_METER = _wrong_meter()


def add_to_meter(dialect: str) -> Insert:
    """Add calls to a run's meter and taint it; the row is made when it is not there."""
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(run_meters)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["tenant", "run_id"],
        set_={"calls": run_meters.c.calls + new.calls, "untrusted": run_meters.c.untrusted | new.untrusted},
    )


def as_text(statement: Insert | Update | Select[*tuple[Any, ...]]) -> str:
    """SQL for a bare SQLite connection; what changes rows names every column, as `:column`."""
    literal = isinstance(statement, Select)
    compiled = statement.compile(dialect=sqlite.dialect(paramstyle="named"), compile_kwargs={"literal_binds": literal})
    return str(compiled)
