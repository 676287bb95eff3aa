"""Fact tables of cases: the case, its people and eight collections, each by revision."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_KEY = ("tenant", "case_id", "revision")


def upgrade() -> None:
    _create_cases()
    _create_people()
    _create_parties_and_accounts()
    _create_transactions_and_notices()
    _create_communications_and_evidence()
    _create_timeline_and_notes()


def downgrade() -> None:
    for table in (
        "case_notes",
        "case_timeline",
        "case_evidence",
        "case_communications",
        "case_notices",
        "case_transactions",
        "case_accounts",
        "case_parties",
        "case_people",
        "cases",
    ):
        op.drop_table(table)


def _key_columns() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("tenant", sa.String(100), nullable=False),
        sa.Column("case_id", sa.String(100), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
    )


def _reference(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        _KEY, [f"cases.{column}" for column in _KEY], name=f"fk_{table}_tenant_case_id_revision_cases"
    )


def _create_facts(table: str, item_id: str, *columns: sa.Column[object]) -> None:
    op.create_table(
        table,
        *_key_columns(),
        sa.Column(item_id, sa.String(100), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        *columns,
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("trust", sa.String(20), nullable=False),
        sa.Column("imported_by", sa.String(100), nullable=False),
        sa.Column("imported_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*_KEY, item_id, name=f"pk_{table}"),
        _reference(table),
    )


def _create_cases() -> None:
    op.create_table(
        "cases",
        *_key_columns(),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("case_type", sa.String(40), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("classification", sa.String(20), nullable=False),
        sa.Column("team", sa.String(100), nullable=False),
        sa.Column("duplicate_of", sa.String(100), nullable=True),
        sa.Column("claimed_amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("narrative", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("issue", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("imported_by", sa.String(100), nullable=False),
        sa.Column("imported_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*_KEY, name="pk_cases"),
    )


def _create_people() -> None:
    op.create_table(
        "case_people",
        *_key_columns(),
        sa.Column("relation", sa.String(20), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("identity", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint(*_KEY, "relation", "position", name="pk_case_people"),
        _reference("case_people"),
    )


def _create_parties_and_accounts() -> None:
    _create_facts(
        "case_parties",
        "party_id",
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("classification", sa.String(20), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
    )
    _create_facts(
        "case_accounts",
        "account_id",
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("number_last4", sa.String(4), nullable=True),
        sa.Column("first_deposit_on", sa.Date(), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("status", sa.String(10), nullable=False),
    )


def _create_transactions_and_notices() -> None:
    _create_facts(
        "case_transactions",
        "transaction_id",
        sa.Column("account_id", sa.String(100), nullable=True),
        sa.Column("posted_on", sa.Date(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("country", sa.String(2), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("counterparty", sa.Text(), nullable=True),
        sa.Column("disputed", sa.Boolean(), nullable=False),
        sa.Column("access_device", sa.String(20), nullable=True),
    )
    _create_facts(
        "case_notices",
        "notice_id",
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("statement_sent_on", sa.Date(), nullable=True),
        sa.Column("loss_discovered_on", sa.Date(), nullable=True),
        sa.Column("written_confirmation_on", sa.Date(), nullable=True),
        sa.Column("summary", sa.Text(), nullable=False),
    )


def _create_communications_and_evidence() -> None:
    _create_facts(
        "case_communications",
        "communication_id",
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.Column("direction", sa.String(10), nullable=False),
        sa.Column("channel", sa.String(10), nullable=False),
        sa.Column("author", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
    )
    _create_facts(
        "case_evidence",
        "evidence_id",
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("classification", sa.String(20), nullable=False),
        sa.Column("sealed", sa.Boolean(), nullable=False),
        sa.Column("supports", sa.String(20), nullable=False),
        sa.Column("transaction_id", sa.String(100), nullable=True),
    )


def _create_timeline_and_notes() -> None:
    _create_facts(
        "case_timeline",
        "event_id",
        sa.Column("origin", sa.String(10), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
    )
    _create_facts(
        "case_notes",
        "note_id",
        sa.Column("origin", sa.String(10), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("on", sa.Date(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
    )
