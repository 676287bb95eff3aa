"""Tables of the shared kernel: audit, decisions, controls, approvals, outbox, drafts, retrievals.

Those of runs (`casewright.storage.run_tables`) and of cases (`casewright.cases.tables`) stand apart; all share one
MetaData. Times are integer nanoseconds since the epoch; documents are canonical JSON text.
"""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, text

from casewright.storage.metadata import METADATA

audit_events = Table(
    "audit_events",
    METADATA,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("tenant", String(100), nullable=False),
    Column("subject", String(100), nullable=False),
    Column("agent", String(100), nullable=False),
    Column("run_id", String(100), nullable=False, index=True),
    Column("case_id", String(100), nullable=False),
    Column("body", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
)

Index(
    "ix_audit_events_release",
    audit_events.c.seq,
    sqlite_where=text("kind LIKE 'release.%'"),
    postgresql_where=text("kind LIKE 'release.%'"),
)
"""For the few events that every process holds the release in force against."""

audit_head = Table(
    "audit_head",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("signature", Text, nullable=False),
)

approvals = Table(
    "approvals",
    METADATA,
    Column("approval_id", String(100), primary_key=True),
    Column("tenant", String(100), nullable=False, index=True),
    Column("case_id", String(100), nullable=False),
    Column("run_id", String(100), nullable=False, index=True),
    Column("digest", String(64), nullable=False, index=True),
    Column("call", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("requested_by", String(100), nullable=False),
    Column("requested_agent", String(100), nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger, nullable=False),
    Column("consumed_ns", BigInteger, nullable=True),
    Column("assignee", String(100), nullable=False, server_default=text("''")),
    Column("escalated_ns", BigInteger, nullable=False, server_default=text("0")),
    Column("due_ns", BigInteger, nullable=False, server_default=text("0")),
    Index("ix_approvals_state_due_ns", "state", "due_ns"),
)
Index(
    "uq_approvals_open_digest",
    approvals.c.digest,
    unique=True,
    sqlite_where=approvals.c.state.in_(("pending", "approved")),
    postgresql_where=approvals.c.state.in_(("pending", "approved")),
)

approval_votes = Table(
    "approval_votes",
    METADATA,
    Column("approval_id", String(100), ForeignKey("approvals.approval_id"), primary_key=True),
    Column("voter", String(100), primary_key=True),
    Column("approve", Boolean, nullable=False),
    Column("note", Text, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
)

outbox = Table(
    "outbox",
    METADATA,
    Column("effect_id", String(100), primary_key=True),
    Column("idempotency_key", String(100), nullable=False, unique=True),
    Column("approval_id", String(100), ForeignKey("approvals.approval_id"), nullable=False, unique=True),
    Column("tenant", String(100), nullable=False),
    Column("case_id", String(100), nullable=False, index=True),
    Column("run_id", String(100), nullable=False),
    Column("call", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("receipt", Text, nullable=True),
)

drafts = Table(
    "drafts",
    METADATA,
    Column("draft_id", String(100), nullable=False, primary_key=True),
    Column("version", Integer, nullable=False, primary_key=True),
    Column("tenant", String(100), nullable=False, index=True),
    Column("case_id", String(100), nullable=False, index=True),
    Column("run_id", String(100), nullable=False, index=True),
    Column("author", String(100), nullable=False),
    Column("agent", String(100), nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("content", Text, nullable=False),
)

retrievals = Table(
    "retrievals",
    METADATA,
    Column("tenant", String(100), nullable=False, primary_key=True),
    Column("run_id", String(100), nullable=False, primary_key=True),
    Column("clause_id", String(400), nullable=False, primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("index_version", String(100), nullable=False),
    Column("at_ns", BigInteger, nullable=False),
)

decisions = Table(
    "decisions",
    METADATA,
    Column("decision_id", String(40), primary_key=True),
    Column("at_ns", BigInteger, nullable=False, index=True),
    Column("tenant", String(100), nullable=False),
    Column("run_id", String(100), nullable=False, index=True),
    Column("mode", String(10), nullable=False),
    Column("server", String(40), nullable=False),
    Column("tool", String(100), nullable=False),
    Column("effect", String(20), nullable=False),
    Column("codes", Text, nullable=False),
    Column("revision", String(64), nullable=False),
    Column("engine", String(20), nullable=False),
    Column("input_digest", String(64), nullable=False),
    Column("input", Text, nullable=False),
    Column("sealed", Text, nullable=False),
)

run_meters = Table(
    "run_meters",
    METADATA,
    Column("tenant", String(100), primary_key=True),
    Column("run_id", String(100), primary_key=True),
    Column("calls", Integer, nullable=False),
    Column("untrusted", Boolean, nullable=False),
)

policy_data = Table(
    "policy_data",
    METADATA,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("tenant", String(100), nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("subject", String(100), nullable=False),
    Column("why", Text, nullable=False),
    Column("path", String(200), nullable=False),
    Column("value", Text, nullable=False),
    Column("document", Text, nullable=False),
    Index("ix_policy_data_tenant_seq", "tenant", "seq"),
)

audit_checkpoints = Table(
    "audit_checkpoints",
    METADATA,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("signature", Text, nullable=False),
)
