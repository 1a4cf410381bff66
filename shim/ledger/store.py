"""The ledger in its database: calls per caller and day, last queries, and how far each journal was read.

Only the writer and the commands import this module. The workers never wait for a database.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from datetime import UTC, date, datetime, timedelta
from operator import gt, lt
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import (
    ColumnElement,
    Connection,
    NullPool,
    Table,
    and_,
    case,
    create_engine,
    delete,
    event,
    func,
    insert,
    inspect,
    make_url,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from shim.ledger.aggregate import Aggregate, AnsweredQuery
from shim.ledger.schema import callers, calls, journals, queries
from shim.ledger.summary import HISTORY_DAYS, CallerSummary, LastQuery, Summary

DATABASE_ERRORS: Final = (SQLAlchemyError, CommandError, OSError)
"""What the methods of ``LedgerStore`` raise if the database cannot be used."""

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_OUTCOME_DAYS: Final = 30
_QUERY_FIELDS: Final = tuple(field.name for field in fields(LastQuery))
# Columns that keep the least or the greatest value.
_EXTREMES: Final = {"first_seen": lt, "startdate": lt, "last_seen": gt, "enddate": gt}
# Seconds to wait for a lock or a connection.
_DATABASE_TIMEOUT: Final = 5
# Key of PostgreSQL's advisory lock: any number that no other program uses.
_MIGRATION_LOCK: Final = 0x70EF1


class LedgerMissingError(OSError):
    """Raised if there is no ledger at the address."""


class OffsetMismatchError(OSError):
    """Raised if another writer has counted lines of the same journal."""


class LedgerStore:
    """The ledger's database. Every method may raise one of ``DATABASE_ERRORS``."""

    def __init__(self, url: str) -> None:
        """Configure the engine; the first method that is called connects.

        Args:
            url: ``sqlite:///PATH`` or ``postgresql+psycopg://USER:PASSWORD@HOST/DATABASE``.
        """
        address = make_url(url)
        self._file = Path(address.database or "") if address.drivername == "sqlite" else None
        postgresql_options = {"connect_timeout": _DATABASE_TIMEOUT, "prepare_threshold": None}
        options = {"timeout": _DATABASE_TIMEOUT} if self._file else postgresql_options
        # A new connection for each use finds a database file that was replaced, and a server that was restarted.
        self._engine = create_engine(address, poolclass=NullPool, connect_args=options)
        self._reading = self._engine.execution_options(reads=True)
        self._upsert = sqlite.insert if self._file else postgresql.insert
        event.listen(self._engine, "begin", self._begin)

    def _begin(self, connection: Connection) -> None:
        if self._file is None:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_DATABASE_TIMEOUT}s'")
            connection.exec_driver_sql("SET LOCAL statement_timeout = '60s'")
        elif not connection.get_execution_options().get("reads"):
            # Python's driver opens no transaction before CREATE, and SQLite may refuse to let a reader become a writer.
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    def migrate(self) -> None:
        """Create the tables, or upgrade them to the latest migration."""
        if self._file:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file.touch(mode=0o600)
        settings = Config()
        settings.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        with self._engine.begin() as connection:
            if not self._file:
                connection.execute(select(func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
            settings.attributes["connection"] = connection
            command.upgrade(settings, "head")

    def check(self) -> None:
        """Test whether the ledger can be written to. Nothing is changed.

        Raises:
            LedgerMissingError: There is no ledger.
        """
        with self._connection(self._engine) as connection:
            connection.execute(delete(journals).where(journals.c.name == ""))
            connection.rollback()

    @contextmanager
    def _connection(self, engine: Any) -> Iterator[Connection]:  # noqa: ANN401 - an engine, or one with other options
        if self._file and not self._file.is_file():
            raise LedgerMissingError(f"there is no ledger at {self._file} yet: the gateway creates it at start")
        with engine.begin() as connection:
            if not inspect(connection).has_table(journals.name):
                raise LedgerMissingError("there is no ledger in the database yet: the gateway creates it at start")
            yield connection

    def read_offsets(self) -> dict[str, int]:
        """Return how many bytes of each journal are in the ledger, by the journal's file name."""
        with self._connection(self._reading) as connection:
            return {row.name: row.read for row in connection.execute(select(journals))}

    def new_aggregate(self) -> Aggregate:
        """Return an empty aggregate that knows the migrated and the unnamed callers of the ledger."""
        with self._connection(self._reading) as connection:
            migrated = connection.execute(
                select(callers.c.name, callers.c.migrated).where(callers.c.migrated.is_not(None))
            )
            unnamed = connection.scalars(select(callers.c.name).where(~callers.c.is_named))
            return Aggregate(migrated={row.name: row.migrated for row in migrated}, unnamed=set(unnamed))

    def add(self, aggregate: Aggregate, offsets: Mapping[str, tuple[int, int]]) -> None:
        """Add a batch of calls and advance the journals' offsets, in one transaction.

        Args:
            aggregate: The totals of the batch.
            offsets: By journal, the bytes at which its part of the batch starts and ends.

        Raises:
            OffsetMismatchError: The ledger's offset of a journal is not the start of its part.
        """
        with self._engine.begin() as connection:
            for name, (start, end) in sorted(offsets.items()):
                self._advance(connection, name, start, end)
            # Rows are sorted by key: two writers that lock rows in different orders would deadlock.
            rows: Sequence[Mapping[str, Any]] = [
                {"name": name, "migrated": None, **asdict(totals)} for name, totals in sorted(aggregate.callers.items())
            ]
            self._merge(connection, callers, rows, sums=("since_migrated",))
            rows = [{**key._asdict(), **asdict(totals)} for key, totals in sorted(aggregate.calls.items())]
            self._merge(connection, calls, rows, sums=("calls", "records", "bytes", "total_us", "upstream_us"))
            self._add_queries(connection, aggregate)

    def _advance(self, connection: Connection, name: str, start: int, end: int) -> None:
        try:
            if not start:
                connection.execute(insert(journals).values(name=name, read=end))
                return
            current = and_(journals.c.name == name, journals.c.read == start)
            if connection.execute(update(journals).where(current).values(read=end)).rowcount == 1:
                return
        except IntegrityError:
            pass
        raise OffsetMismatchError("another writer has counted the same calls")

    def _merge(
        self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], sums: tuple[str, ...]
    ) -> None:
        """Insert rows. Where a key exists, add the columns of ``sums``, and keep the extremes of the others."""
        if not rows:
            return
        statement = self._upsert(table)
        new = statement.excluded
        merged: dict[str, ColumnElement[Any]] = {name: table.c[name] + new[name] for name in sums}
        for name, is_better in _EXTREMES.items():
            if name in table.c:
                old = table.c[name]
                merged[name] = case((or_(old.is_(None), is_better(new[name], old)), new[name]), else_=old)
        if "is_named" in table.c:
            merged["is_named"] = or_(table.c.is_named, new.is_named)
        connection.execute(statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=merged), rows)

    def _add_queries(self, connection: Connection, aggregate: Aggregate) -> None:
        rows = [
            {"caller": caller, "operation": operation, **query._asdict()}
            for (caller, operation), query in sorted(aggregate.queries.items())
        ]
        if rows:
            statement = self._upsert(queries)
            new = statement.excluded
            upsert = statement.on_conflict_do_update(
                index_elements=list(queries.primary_key),
                set_={name: new[name] for name in AnsweredQuery._fields},
                where=new.at >= queries.c.at,
            )
            connection.execute(upsert, rows)

    def delete_journal(self, name: str) -> None:
        """Delete the offset of a journal that is wholly in the ledger and will not be read again."""
        with self._engine.begin() as connection:
            connection.execute(delete(journals).where(journals.c.name == name))

    def purge(self, before: date) -> None:
        """Delete calls and queries from before a day, and callers that were neither seen nor marked since."""
        moment = datetime(before.year, before.month, before.day, tzinfo=UTC)
        with self._engine.begin() as connection:
            connection.execute(delete(calls).where(calls.c.day < before))
            connection.execute(delete(queries).where(queries.c.at < moment))
            marked = func.coalesce(callers.c.migrated, callers.c.last_seen)
            connection.execute(delete(callers).where(callers.c.last_seen < moment, marked < moment))

    def mark_migrated(self, name: str, moment: datetime | None) -> bool:
        """Mark a caller as migrated since a moment, or with ``None`` as not migrated.

        Returns:
            Whether the ledger has a caller of that name.
        """
        with self._connection(self._engine) as connection:
            mark = update(callers).where(callers.c.name == name).values(migrated=moment, since_migrated=0)
            return connection.execute(mark).rowcount > 0

    def summary(self, now: datetime) -> Summary:
        """Return the summary of all callers.

        Args:
            now: The time in UTC; its day is the last one of the summary.
        """
        today = now.date()
        counted: defaultdict[str, list[Any]] = defaultdict(list)
        asked: defaultdict[str, list[Any]] = defaultdict(list)
        columns = (calls.c[name] for name in ("caller", "day", "operation", "outcome", "software", "calls"))
        recent = select(*columns).where(calls.c.day > today - timedelta(days=HISTORY_DAYS))
        with self._connection(self._reading) as connection:
            known = connection.execute(select(callers).order_by(callers.c.last_seen.desc(), callers.c.name)).all()
            for row in connection.execute(recent):
                counted[row.caller].append(row)
            for row in connection.execute(select(queries).order_by(queries.c.operation)):
                asked[row.caller].append(row)
        summaries = (_summary_of(row, counted[row.name], asked[row.name], today) for row in known)
        return Summary(made=now, callers=tuple(summaries))

    def describe(self, error: BaseException) -> str:
        """Return an error in one line, without the statement, its values and the password of the database."""
        if isinstance(error, DBAPIError):
            error = error.orig or error
        elif isinstance(error, SQLAlchemyError):
            return type(error).__name__
        text = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        password = self._engine.url.password
        return text.replace(str(password), "***") if password else text


def _summary_of(caller: Any, counted: Sequence[Any], asked: Sequence[Any], today: date) -> CallerSummary:  # noqa: ANN401 - a row
    daily, outcomes = [0] * HISTORY_DAYS, Counter[str]()
    for row in counted:
        age = max((today - row.day).days, 0)  # the clock of another gateway may be ahead
        daily[HISTORY_DAYS - 1 - age] += row.calls
        if age < _OUTCOME_DAYS:
            outcomes[row.outcome] += row.calls
    return CallerSummary(
        name=caller.name,
        is_named=caller.is_named,
        first_seen=caller.first_seen,
        last_seen=caller.last_seen,
        daily=tuple(daily),
        operations=tuple(sorted({row.operation for row in counted} - {""})),
        software=tuple(sorted({row.software for row in counted})),
        outcomes=dict(sorted(outcomes.items())),
        migrated=caller.migrated,
        calls_since_migrated=caller.since_migrated,
        last_queries=tuple(LastQuery(**{name: getattr(row, name) for name in _QUERY_FIELDS}) for row in asked),
    )
