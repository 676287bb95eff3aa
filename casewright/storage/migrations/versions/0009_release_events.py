"""An index over the events of releases, which every process looks up before it follows a switch."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    of_releases = sa.text("kind LIKE 'release.%'")
    op.create_index(
        "ix_audit_events_release", "audit_events", ["seq"], sqlite_where=of_releases, postgresql_where=of_releases
    )


def downgrade() -> None:
    op.drop_index("ix_audit_events_release", "audit_events")
