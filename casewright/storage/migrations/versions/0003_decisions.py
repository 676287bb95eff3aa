"""Recorded decisions, counters of runs, live policy data, and signed checkpoints of the audit."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    _create_decisions()
    _create_run_meters()
    _create_policy_data()
    _create_audit_checkpoints()


def downgrade() -> None:
    for table in ("audit_checkpoints", "policy_data", "run_meters", "decisions"):
        op.drop_table(table)


def _create_decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("decision_id", sa.String(40), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("tenant", sa.String(100), nullable=False),
        sa.Column("run_id", sa.String(100), nullable=False),
        sa.Column("mode", sa.String(10), nullable=False),
        sa.Column("server", sa.String(40), nullable=False),
        sa.Column("tool", sa.String(100), nullable=False),
        sa.Column("effect", sa.String(20), nullable=False),
        sa.Column("codes", sa.Text(), nullable=False),
        sa.Column("revision", sa.String(64), nullable=False),
        sa.Column("engine", sa.String(20), nullable=False),
        sa.Column("input_digest", sa.String(64), nullable=False),
        sa.Column("input", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("decision_id", name="pk_decisions"),
    )
    for column in ("at_ns", "run_id"):
        op.create_index(f"ix_decisions_{column}", "decisions", [column])


def _create_run_meters() -> None:
    """Counters start at what the audit holds, so that an upgrade grants no run new calls."""
    op.create_table(
        "run_meters",
        sa.Column("tenant", sa.String(100), nullable=False),
        sa.Column("run_id", sa.String(100), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("untrusted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "run_id", name="pk_run_meters"),
    )
    op.execute(
        "INSERT INTO run_meters (tenant, run_id, calls, untrusted) "
        "SELECT tenant, run_id, count(*), true FROM audit_events "
        "WHERE kind IN ('call.allowed', 'call.denied') AND run_id <> '' GROUP BY tenant, run_id"
    )


def _create_policy_data() -> None:
    op.create_table(
        "policy_data",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("tenant", sa.String(100), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.String(100), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("path", sa.String(200), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_policy_data"),
    )
    op.create_index("ix_policy_data_tenant_seq", "policy_data", ["tenant", "seq"])


def _create_audit_checkpoints() -> None:
    op.create_table(
        "audit_checkpoints",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit_checkpoints"),
    )
