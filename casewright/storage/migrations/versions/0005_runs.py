"""What a run is pinned to and waits for, requests made of it, questions, notices, feedback, idempotency keys."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_RUN_COLUMNS = (
    ("parent", sa.String(100), "''"),
    ("revision", sa.Integer(), "1"),
    ("waiting_for", sa.String(100), "''"),
    ("waiting_revision", sa.Integer(), "0"),
    ("wanted", sa.String(20), "''"),
    ("wanted_by", sa.String(100), "''"),
    ("wanted_why", sa.Text(), "''"),
    ("attempts", sa.Integer(), "0"),
    ("not_before_ns", sa.BigInteger(), "0"),
    ("pins", sa.Text(), "'{}'"),
)
_APPROVAL_COLUMNS = (
    ("assignee", sa.String(100), "''"),
    ("escalated_ns", sa.BigInteger(), "0"),
    ("due_ns", sa.BigInteger(), "0"),
)


def upgrade() -> None:
    for name, kind, default in _RUN_COLUMNS:
        op.add_column("runs", sa.Column(name, kind, nullable=False, server_default=sa.text(default)))
    op.create_index("ix_runs_status", "runs", ["status"])
    for name, kind, default in _APPROVAL_COLUMNS:
        op.add_column("approvals", sa.Column(name, kind, nullable=False, server_default=sa.text(default)))
    op.create_index("ix_approvals_state_due_ns", "approvals", ["state", "due_ns"])
    _create_run_questions()
    _create_notices()
    _create_feedback()
    _create_idempotency_keys()


def downgrade() -> None:
    for table in ("idempotency_keys", "feedback", "notices", "run_questions"):
        op.drop_table(table)
    op.drop_index("ix_approvals_state_due_ns", "approvals")
    for name, _, _ in reversed(_APPROVAL_COLUMNS):
        op.drop_column("approvals", name)
    op.drop_index("ix_runs_status", "runs")
    for name, _, _ in reversed(_RUN_COLUMNS):
        op.drop_column("runs", name)


def _create_run_questions() -> None:
    op.create_table(
        "run_questions",
        sa.Column("question_id", sa.String(100), nullable=False),
        sa.Column("tenant", sa.String(100), nullable=False),
        sa.Column("run_id", sa.String(100), nullable=False),
        sa.Column("case_id", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.String(100), nullable=False),
        sa.Column("answered_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("question_id", name="pk_run_questions"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="fk_run_questions_run_id_runs"),
    )
    op.create_index("ix_run_questions_run_id", "run_questions", ["run_id"])


def _create_notices() -> None:
    op.create_table(
        "notices",
        sa.Column("notice_id", sa.String(100), nullable=False),
        sa.Column("tenant", sa.String(100), nullable=False),
        sa.Column("approval_id", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.String(120), nullable=False),
        sa.Column("due_ns", sa.BigInteger(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("notice_id", name="pk_notices"),
        sa.UniqueConstraint("approval_id", "kind", "number", "recipient", name="uq_notices_approval_id_kind_number"),
        sa.ForeignKeyConstraint(["approval_id"], ["approvals.approval_id"], name="fk_notices_approval_id_approvals"),
    )
    op.create_index("ix_notices_tenant_at_ns", "notices", ["tenant", "at_ns"])


def _create_feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("feedback_id", sa.String(100), nullable=False),
        sa.Column("tenant", sa.String(100), nullable=False),
        sa.Column("run_id", sa.String(100), nullable=False),
        sa.Column("case_id", sa.String(100), nullable=False),
        sa.Column("subject", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("feedback_id", name="pk_feedback"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="fk_feedback_run_id_runs"),
    )
    op.create_index("ix_feedback_run_id", "feedback", ["run_id"])
    op.create_index("ix_feedback_tenant_at_ns", "feedback", ["tenant", "at_ns"])


def _create_idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("tenant", sa.String(100), nullable=False),
        sa.Column("subject", sa.String(100), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("request_digest", sa.String(64), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "subject", "key", name="pk_idempotency_keys"),
    )
