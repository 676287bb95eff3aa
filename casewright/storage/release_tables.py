"""Tables of releases: what each pins with a copy of its files, and every switch between them.

Which release is in force is the newest row of `release_moves`, read by every process; so a switch is one committed
transaction with its audit event, and a process that dies between two steps leaves the old state or the new one.
"""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, Text

from casewright.storage.metadata import METADATA

releases = Table(
    "releases",
    METADATA,
    Column("release_id", String(100), primary_key=True),
    Column("tenant", String(100), nullable=False),
    Column("subject", String(100), nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("state", String(20), nullable=False),
    Column("index_version", String(100), nullable=False),
    Column("manifest", Text, nullable=False),
    Column("signature", Text, nullable=False),
    Column("pieces", LargeBinary, nullable=False),
    Column("override_why", Text, nullable=False),
    Column("confirmed_by", String(100), nullable=False),
    Column("confirmed_ns", BigInteger, nullable=False),
)

release_moves = Table(
    "release_moves",
    METADATA,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("tenant", String(100), nullable=False),
    Column("subject", String(100), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("active", String(100), nullable=False),
    Column("previous", String(100), nullable=False),
    Column("canary", String(100), nullable=False),
    Column("percent", Integer, nullable=False),
    Column("why", Text, nullable=False),
)
