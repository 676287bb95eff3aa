"""Typed fact tables of cases. They only ever grow: a changed case is a new revision.

Every key is scoped by tenant and case. The current revision of a case is its greatest one;
earlier revisions stay readable. Timeline and notes also hold what the system recorded itself
(`origin` is `recorded`), which belongs to the case and outlives every revision.
Money is in minor units; `imported_ns` is nanoseconds since the epoch.
"""

from sqlalchemy import BigInteger, Boolean, Column, Date, ForeignKeyConstraint, Integer, String, Table, Text, false

from casewright.storage.metadata import METADATA

KEY = ("tenant", "case_id", "revision")

cases = Table(
    "cases",
    METADATA,
    Column("tenant", String(100), primary_key=True),
    Column("case_id", String(100), primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),
    Column("title", Text, nullable=False),
    Column("case_type", String(40), nullable=False),
    Column("state", String(10), nullable=False),
    Column("received_on", Date, nullable=False),
    Column("classification", String(20), nullable=False),
    Column("team", String(100), nullable=False),
    Column("sealed", Boolean, nullable=False, server_default=false()),
    Column("duplicate_of", String(100), nullable=True),
    Column("claimed_amount_minor", BigInteger, nullable=True),
    Column("currency", String(3), nullable=False),
    Column("narrative", Text, nullable=False),
    Column("product", Text, nullable=False),
    Column("issue", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("imported_by", String(100), nullable=False),
    Column("imported_ns", BigInteger, nullable=False),
)


def _fact_table(name: str, item_id: str, *columns: Column[object]) -> Table:
    """A table of items of one case revision, with their place and provenance."""
    return Table(
        name,
        METADATA,
        Column("tenant", String(100), primary_key=True),
        Column("case_id", String(100), primary_key=True),
        Column("revision", Integer, primary_key=True, autoincrement=False),
        Column(item_id, String(100), primary_key=True),
        Column("position", Integer, nullable=False),
        *columns,
        Column("source", Text, nullable=False),
        Column("trust", String(20), nullable=False),
        Column("imported_by", String(100), nullable=False),
        Column("imported_ns", BigInteger, nullable=False),
        ForeignKeyConstraint(KEY, [cases.c[column] for column in KEY]),
    )


case_people = Table(
    "case_people",
    METADATA,
    Column("tenant", String(100), primary_key=True),
    Column("case_id", String(100), primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("relation", String(20), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("identity", String(100), nullable=False),
    ForeignKeyConstraint(KEY, [cases.c[column] for column in KEY]),
)
"""Who is assigned to a case (`assigned_to`) and who may not see it (`conflicts`)."""

case_parties = _fact_table(
    "case_parties",
    "party_id",
    Column("role", String(20), nullable=False),
    Column("name", Text, nullable=False),
    Column("classification", String(20), nullable=False),
    Column("state", Text, nullable=True),
)

case_accounts = _fact_table(
    "case_accounts",
    "account_id",
    Column("kind", String(20), nullable=False),
    Column("number_last4", String(4), nullable=True),
    Column("first_deposit_on", Date, nullable=True),
    Column("opened_on", Date, nullable=True),
    Column("status", String(10), nullable=False),
)

case_transactions = _fact_table(
    "case_transactions",
    "transaction_id",
    Column("account_id", String(100), nullable=True),
    Column("posted_on", Date, nullable=True),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("channel", String(20), nullable=False),
    Column("country", String(2), nullable=True),
    Column("description", Text, nullable=False),
    Column("counterparty", Text, nullable=True),
    Column("disputed", Boolean, nullable=False),
    Column("access_device", String(20), nullable=True),
)

case_notices = _fact_table(
    "case_notices",
    "notice_id",
    Column("received_on", Date, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("statement_sent_on", Date, nullable=True),
    Column("loss_discovered_on", Date, nullable=True),
    Column("written_confirmation_on", Date, nullable=True),
    Column("summary", Text, nullable=False),
)

case_communications = _fact_table(
    "case_communications",
    "communication_id",
    Column("sent_on", Date, nullable=True),
    Column("direction", String(10), nullable=False),
    Column("channel", String(10), nullable=False),
    Column("author", Text, nullable=True),
    Column("text", Text, nullable=False),
)

case_evidence = _fact_table(
    "case_evidence",
    "evidence_id",
    Column("kind", String(40), nullable=False),
    Column("title", Text, nullable=False),
    Column("received_on", Date, nullable=True),
    Column("text", Text, nullable=False),
    Column("classification", String(20), nullable=False),
    Column("sealed", Boolean, nullable=False),
    Column("supports", String(20), nullable=False),
    Column("transaction_id", String(100), nullable=True),
)

case_timeline = _fact_table(
    "case_timeline",
    "event_id",
    Column("origin", String(10), nullable=False),
    Column("on", Date, nullable=False),
    Column("what", Text, nullable=False),
)

case_notes = _fact_table(
    "case_notes",
    "note_id",
    Column("origin", String(10), nullable=False),
    Column("author", Text, nullable=False),
    Column("on", Date, nullable=True),
    Column("text", Text, nullable=False),
)
