"""Tables of runs: what each is pinned to and waits for, its events and questions, and what people said of it.

`waiting_for` names the approval or question that a run waits for, `waiting_revision` the case revision it last read:
from these a worker sees by one query which runs can go on. `wanted` is what a person asked of the run (`cancel`,
`pause`); whoever drives it obeys between two steps.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, text

from casewright.storage.metadata import METADATA

runs = Table(
    "runs",
    METADATA,
    Column("run_id", String(100), primary_key=True),
    Column("tenant", String(100), nullable=False, index=True),
    Column("case_id", String(100), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("subject", String(100), nullable=False),
    Column("status", String(30), nullable=False, index=True),
    Column("created_ns", BigInteger, nullable=False),
    Column("updated_ns", BigInteger, nullable=False),
    Column("report", Text, nullable=False),
    Column("parent", String(100), nullable=False, server_default=text("''")),
    Column("revision", Integer, nullable=False, server_default=text("1")),
    Column("waiting_for", String(100), nullable=False, server_default=text("''")),
    Column("waiting_revision", Integer, nullable=False, server_default=text("0")),
    Column("wanted", String(20), nullable=False, server_default=text("''")),
    Column("wanted_by", String(100), nullable=False, server_default=text("''")),
    Column("wanted_why", Text, nullable=False, server_default=text("''")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("not_before_ns", BigInteger, nullable=False, server_default=text("0")),
    Column("pins", Text, nullable=False, server_default=text("'{}'")),
)

run_events = Table(
    "run_events",
    METADATA,
    Column("run_id", String(100), ForeignKey("runs.run_id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("body", Text, nullable=False),
)

run_questions = Table(
    "run_questions",
    METADATA,
    Column("question_id", String(100), primary_key=True),
    Column("tenant", String(100), nullable=False),
    Column("run_id", String(100), ForeignKey("runs.run_id"), nullable=False, index=True),
    Column("case_id", String(100), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("text", Text, nullable=False),
    Column("options", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("answer", Text, nullable=False),
    Column("answered_by", String(100), nullable=False),
    Column("answered_ns", BigInteger, nullable=False),
)

notices = Table(
    "notices",
    METADATA,
    Column("notice_id", String(100), primary_key=True),
    Column("tenant", String(100), nullable=False),
    Column("approval_id", String(100), ForeignKey("approvals.approval_id"), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("number", Integer, nullable=False),
    Column("recipient", String(120), nullable=False),
    Column("due_ns", BigInteger, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("approval_id", "kind", "number", "recipient", name="uq_notices_approval_id_kind_number"),
    Index("ix_notices_tenant_at_ns", "tenant", "at_ns"),
)

feedback = Table(
    "feedback",
    METADATA,
    Column("feedback_id", String(100), primary_key=True),
    Column("tenant", String(100), nullable=False),
    Column("run_id", String(100), ForeignKey("runs.run_id"), nullable=False, index=True),
    Column("case_id", String(100), nullable=False),
    Column("subject", String(100), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_feedback_tenant_at_ns", "tenant", "at_ns"),
)

idempotency_keys = Table(
    "idempotency_keys",
    METADATA,
    Column("tenant", String(100), primary_key=True),
    Column("subject", String(100), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("request_digest", String(64), nullable=False),
    Column("state", String(20), nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", Text, nullable=False),
    Column("body", Text, nullable=False),
)
