"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "calls",
        sa.Column("day", sa.Date, primary_key=True),
        *(
            sa.Column(name, sa.String, primary_key=True)
            for name in ("caller", "operation", "outcome", "software", "soap")
        ),
        *(
            sa.Column(name, sa.BigInteger, nullable=False)
            for name in ("calls", "records", "bytes", "total_us", "upstream_us")
        ),
        *(sa.Column(name, sa.DateTime, nullable=False) for name in ("first_seen", "last_seen")),
        *(sa.Column(name, sa.String) for name in ("startdate", "enddate")),
    )
    op.create_table(
        "callers",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("is_named", sa.Boolean, nullable=False),
        *(sa.Column(name, sa.DateTime, nullable=False) for name in ("first_seen", "last_seen")),
        sa.Column("migrated", sa.DateTime),
        sa.Column("since_migrated", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "queries",
        *(sa.Column(name, sa.String, primary_key=True) for name in ("caller", "operation")),
        sa.Column("at", sa.DateTime, nullable=False),
        *(
            sa.Column(name, sa.String, nullable=False)
            for name in ("startdate", "enddate", "type", "reportby", "format")
        ),
    )
    op.create_table(
        "journals",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("read", sa.BigInteger, nullable=False),
    )
