"""The tables of the ledger, as the latest migration leaves them."""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, MetaData, String, Table, TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC, in a column without a time zone."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: object) -> datetime | None:  # noqa: ARG002 - the hook's signature
        """Remove the zone for the database."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: object) -> datetime | None:  # noqa: ARG002 - the hook's signature
        """Add the zone again."""
        return None if value is None else value.replace(tzinfo=UTC)


metadata: Final = MetaData()
calls: Final = Table(
    "calls",
    metadata,
    Column("day", Date, primary_key=True),
    *(Column(name, String, primary_key=True) for name in ("caller", "operation", "outcome", "software", "soap")),
    *(Column(name, BigInteger, nullable=False) for name in ("calls", "records", "bytes", "total_us", "upstream_us")),
    *(Column(name, UtcDateTime, nullable=False) for name in ("first_seen", "last_seen")),
    *(Column(name, String) for name in ("startdate", "enddate")),
)
callers: Final = Table(
    "callers",
    metadata,
    Column("name", String, primary_key=True),
    Column("is_named", Boolean, nullable=False),
    *(Column(name, UtcDateTime, nullable=False) for name in ("first_seen", "last_seen")),
    Column("migrated", UtcDateTime),
    Column("since_migrated", BigInteger, nullable=False),
)
queries: Final = Table(
    "queries",
    metadata,
    *(Column(name, String, primary_key=True) for name in ("caller", "operation")),
    Column("at", UtcDateTime, nullable=False),
    *(Column(name, String, nullable=False) for name in ("startdate", "enddate", "type", "reportby", "format")),
)
journals: Final = Table(
    "journals",
    metadata,
    Column("name", String, primary_key=True),
    Column("read", BigInteger, nullable=False),
)
