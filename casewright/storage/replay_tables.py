"""Table of what a run's tools answered: one row for each step, beside the recordings of its model calls.

The texts (one document for a step, one for each different result) stand with those of model calls in `model_contents`,
sealed; the row names the document by its address. See `casewright.replay.recording`.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table

from casewright.storage.metadata import METADATA

tool_recordings = Table(
    "tool_recordings",
    METADATA,
    Column("run_id", String(100), primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("tenant", String(100), nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("address", String(80), nullable=False),
    Index("ix_tool_recordings_tenant_at_ns", "tenant", "at_ns"),
)
