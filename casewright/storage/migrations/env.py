"""Alembic's entry: runs the migrations on the connection it is given.

The caller (`casewright.storage.migrate`) owns the transaction; nothing connects from here.
"""

from alembic import context
from sqlalchemy import Connection

from casewright.storage.metadata import METADATA


def run() -> None:
    """Run on the connection that the configuration carries."""
    connection: Connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=METADATA, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


run()
