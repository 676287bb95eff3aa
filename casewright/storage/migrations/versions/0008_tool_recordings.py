"""What the tools of a run answered, one row for each of its steps, for replay."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "tool_recordings",
        sa.Column("run_id", sa.String(100), nullable=False),
        sa.Column("step", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tenant", sa.String(100), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.String(80), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "step", name="pk_tool_recordings"),
    )
    op.create_index("ix_tool_recordings_tenant_at_ns", "tool_recordings", ["tenant", "at_ns"])


def downgrade() -> None:
    op.drop_table("tool_recordings")
