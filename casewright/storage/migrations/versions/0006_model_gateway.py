"""Model calls and what was exchanged in them, answers that may be given again, and what a tenant spent in a day."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    _create_calls()
    _create_exchanges()
    _create_contents()
    _create_answers()
    _create_spending()


def downgrade() -> None:
    for table in ("model_spending", "model_answers", "model_contents", "model_exchanges", "model_calls"):
        op.drop_table(table)


def _create_calls() -> None:
    op.create_table(
        "model_calls",
        sa.Column("call_id", sa.String(100), nullable=False),
        sa.Column("tenant", sa.String(100), nullable=False),
        sa.Column("run_id", sa.String(100), nullable=False),
        sa.Column("case_id", sa.String(100), nullable=False),
        sa.Column("agent", sa.String(100), nullable=False),
        sa.Column("task", sa.String(100), nullable=False),
        sa.Column("task_version", sa.Integer(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("input", sa.String(80), nullable=False),
        sa.Column("output", sa.String(80), nullable=False),
        sa.PrimaryKeyConstraint("call_id", name="pk_model_calls"),
    )
    op.create_index("ix_model_calls_run_id", "model_calls", ["run_id"])
    op.create_index("ix_model_calls_tenant_at_ns", "model_calls", ["tenant", "at_ns"])


def _create_exchanges() -> None:
    op.create_table(
        "model_exchanges",
        sa.Column("call_id", sa.String(100), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tenant", sa.String(100), nullable=False),
        sa.Column("run_id", sa.String(100), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.String(80), nullable=False),
        sa.PrimaryKeyConstraint("call_id", "number", name="pk_model_exchanges"),
    )
    op.create_index("ix_model_exchanges_run_id", "model_exchanges", ["run_id"])
    op.create_index("ix_model_exchanges_tenant_at_ns", "model_exchanges", ["tenant", "at_ns"])


def _create_contents() -> None:
    op.create_table(
        "model_contents",
        sa.Column("tenant", sa.String(100), nullable=False),
        sa.Column("address", sa.String(80), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "address", name="pk_model_contents"),
    )
    op.create_index("ix_model_contents_tenant_at_ns", "model_contents", ["tenant", "at_ns"])


def _create_answers() -> None:
    op.create_table(
        "model_answers",
        sa.Column("tenant", sa.String(100), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("task", sa.String(100), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("expires_ns", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "key", name="pk_model_answers"),
    )
    op.create_index("ix_model_answers_expires_ns", "model_answers", ["expires_ns"])


def _create_spending() -> None:
    op.create_table(
        "model_spending",
        sa.Column("tenant", sa.String(100), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_micro", sa.BigInteger(), nullable=False),
        sa.Column("unpriced", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "day", name="pk_model_spending"),
    )
