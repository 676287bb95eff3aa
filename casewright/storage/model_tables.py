"""Tables of the model gateway: calls, what was exchanged in them, answers that may be given again, and what was spent.

A call's record is in the audit; what stands here beside it can be pruned without touching the chain. Contents are kept
once for a tenant under their address (see `casewright.models.contents`), and the rows of calls and exchanges name them.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from casewright.storage.metadata import METADATA

model_calls = Table(
    "model_calls",
    METADATA,
    Column("call_id", String(100), primary_key=True),
    Column("tenant", String(100), nullable=False),
    Column("run_id", String(100), nullable=False, index=True),
    Column("case_id", String(100), nullable=False),
    Column("agent", String(100), nullable=False),
    Column("task", String(100), nullable=False),
    Column("task_version", Integer, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("input", String(80), nullable=False),
    Column("output", String(80), nullable=False),
    Index("ix_model_calls_tenant_at_ns", "tenant", "at_ns"),
)

model_exchanges = Table(
    "model_exchanges",
    METADATA,
    Column("call_id", String(100), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("tenant", String(100), nullable=False),
    Column("run_id", String(100), nullable=False, index=True),
    Column("at_ns", BigInteger, nullable=False),
    Column("address", String(80), nullable=False),
    Index("ix_model_exchanges_tenant_at_ns", "tenant", "at_ns"),
)

model_contents = Table(
    "model_contents",
    METADATA,
    Column("tenant", String(100), primary_key=True),
    Column("address", String(80), primary_key=True),
    Column("at_ns", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_model_contents_tenant_at_ns", "tenant", "at_ns"),
)

model_answers = Table(
    "model_answers",
    METADATA,
    Column("tenant", String(100), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("task", String(100), nullable=False),
    Column("model", String(200), nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger, nullable=False, index=True),
    Column("answer", Text, nullable=False),
)

model_spending = Table(
    "model_spending",
    METADATA,
    Column("tenant", String(100), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("calls", Integer, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("cost_micro", BigInteger, nullable=False),
    Column("unpriced", Integer, nullable=False),
)
