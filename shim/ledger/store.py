"""The ledger: who called, how often, with what and for what, in a database, day by day.

Only its writer and the commands import this: the gateway that answers never waits for a database.
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
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Date,
    DateTime,
    MetaData,
    NullPool,
    String,
    Table,
    TypeDecorator,
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

from shim.ledger.aggregate import Aggregate, Query
from shim.ledger.summary import DAYS, CallerSummary, LastQuery, Summary

FAILURES: Final = (SQLAlchemyError, CommandError, OSError)
"""What anything here may raise when the database is not as it should be."""

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_MONTH: Final = timedelta(days=30)
_ASKED: Final = tuple(part.name for part in fields(LastQuery))
# Columns of which the least is kept, or the greatest.
_EXTREMES: Final = {"first_seen": lt, "startdate": lt, "last_seen": gt, "enddate": gt}
# Seconds that another may hold the database.
_PATIENCE: Final = 5
# Of PostgreSQL: any number will do that other programs do not lock.
_LOCK: Final = 0x70EF1


class Moment(TypeDecorator[datetime]):
    """A time in UTC, in a column that knows no zones."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: object) -> datetime | None:  # noqa: ARG002 - the hook's signature
        """Store it without its zone."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: object) -> datetime | None:  # noqa: ARG002 - same
        """Give it its zone back."""
        return None if value is None else value.replace(tzinfo=UTC)


metadata: Final = MetaData()
calls: Final = Table(
    "calls",
    metadata,
    Column("day", Date, primary_key=True),
    *(Column(name, String, primary_key=True) for name in ("caller", "operation", "outcome", "software", "soap")),
    *(Column(name, BigInteger, nullable=False) for name in ("calls", "records", "bytes", "total_us", "upstream_us")),
    *(Column(name, Moment, nullable=False) for name in ("first_seen", "last_seen")),
    *(Column(name, String) for name in ("startdate", "enddate")),
)
callers: Final = Table(
    "callers",
    metadata,
    Column("name", String, primary_key=True),
    Column("is_named", Boolean, nullable=False),
    *(Column(name, Moment, nullable=False) for name in ("first_seen", "last_seen")),
    Column("migrated", Moment),
    Column("since_migrated", BigInteger, nullable=False),
)
queries: Final = Table(
    "queries",
    metadata,
    *(Column(name, String, primary_key=True) for name in ("caller", "operation")),
    Column("at", Moment, nullable=False),
    *(Column(name, String, nullable=False) for name in ("startdate", "enddate", "type", "reportby", "format")),
)
journals: Final = Table(
    "journals",
    metadata,
    Column("name", String, primary_key=True),
    Column("read", BigInteger, nullable=False),
)


class AbsentError(OSError):
    """There is no ledger at the address."""


class OutOfStepError(OSError):
    """Somebody else counted lines of the same journal."""


class Ledger:
    """The tables, read and written. Every method may raise one of ``FAILURES``."""

    def __init__(self, url: str) -> None:
        """Take the address; nothing is connected to yet.

        Args:
            url: ``sqlite:///PATH`` or ``postgresql+psycopg://...``.
        """
        parsed = make_url(url)
        self._file = Path(parsed.database or "") if parsed.drivername == "sqlite" else None
        arguments = {"timeout": _PATIENCE} if self._file else {"connect_timeout": _PATIENCE, "prepare_threshold": None}
        # A connection for each use: a file that was replaced is found, and so is a server that was away.
        self._engine = create_engine(parsed, poolclass=NullPool, connect_args=arguments)
        self._reading = self._engine.execution_options(reads=True)
        self._upsert = sqlite.insert if self._file else postgresql.insert
        event.listen(self._engine, "begin", self._begin)

    def _begin(self, connection: Connection) -> None:
        if self._file is None:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_PATIENCE}s'")
            connection.exec_driver_sql("SET LOCAL statement_timeout = '60s'")
        elif not connection.get_execution_options().get("reads"):
            # Python's driver begins none before CREATE, and SQLite may refuse one that reads before it writes.
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    def migrate(self) -> None:
        """Make the tables, or bring them up to date."""
        if self._file:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file.touch(mode=0o600)
        settings = Config()
        settings.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        with self._engine.begin() as connection:
            if not self._file:
                connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            settings.attributes["connection"] = connection
            command.upgrade(settings, "head")

    def check(self) -> None:
        """Try whether it can be written to, and leave it as it was.

        Raises:
            AbsentError: There is none.
        """
        with self._connected(self._engine) as connection:
            connection.execute(delete(journals).where(journals.c.name == ""))
            connection.rollback()

    @contextmanager
    def _connected(self, engine: Any) -> Iterator[Connection]:  # noqa: ANN401 - an engine, or one with other options
        if self._file and not self._file.is_file():
            raise AbsentError(f"no ledger is at {self._file} yet: the gateway makes it when it starts")
        with engine.begin() as connection:
            if not inspect(connection).has_table(journals.name):
                raise AbsentError("the database has no ledger yet: the gateway makes it when it starts")
            yield connection

    def read_to(self) -> dict[str, int]:
        """How far each journal is in the ledger, in bytes."""
        with self._connected(self._reading) as connection:
            return {row.name: row.read for row in connection.execute(select(journals))}

    def blank(self) -> Aggregate:
        """A tally with what must be known of callers to count on."""
        with self._connected(self._reading) as connection:
            marked = connection.execute(
                select(callers.c.name, callers.c.migrated).where(callers.c.migrated.is_not(None))
            )
            unnamed = connection.scalars(select(callers.c.name).where(~callers.c.is_named))
            return Aggregate(marks={row.name: row.migrated for row in marked}, unnamed=set(unnamed))

    def add(self, tally: Aggregate, read: Mapping[str, tuple[int, int]]) -> None:
        """Add what was counted, and how far each journal was read: all or nothing.

        Args:
            tally: What was counted.
            read: By journal, where its lines began and where they end.

        Raises:
            OutOfStepError: A journal was not read to where they began.
        """
        with self._engine.begin() as connection:
            for name, (before, after) in sorted(read.items()):
                self._advance(connection, name, before, after)
            # In the order of their keys, as two that wait for each other's rows would wait for ever.
            rows: Sequence[Mapping[str, Any]] = [
                {"name": name, "migrated": None, **asdict(seen)} for name, seen in sorted(tally.callers.items())
            ]
            self._merge(connection, callers, rows, add=("since_migrated",))
            rows = [{**key._asdict(), **asdict(count)} for key, count in sorted(tally.counts.items())]
            self._merge(connection, calls, rows, add=("calls", "records", "bytes", "total_us", "upstream_us"))
            self._ask(connection, tally)

    def _advance(self, connection: Connection, name: str, before: int, after: int) -> None:
        try:
            if not before:
                connection.execute(insert(journals).values(name=name, read=after))
                return
            here = and_(journals.c.name == name, journals.c.read == before)
            if connection.execute(update(journals).where(here).values(read=after)).rowcount == 1:
                return
        except IntegrityError:
            pass
        raise OutOfStepError("somebody else has counted the same calls")

    def _merge(
        self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], add: tuple[str, ...]
    ) -> None:
        """Insert rows, or add them to those of the same key."""
        if not rows:
            return
        statement = self._upsert(table)
        new = statement.excluded
        merged: dict[str, ColumnElement[Any]] = {name: table.c[name] + new[name] for name in add}
        for name, is_better in _EXTREMES.items():
            if name in table.c:
                old = table.c[name]
                merged[name] = case((or_(old.is_(None), is_better(new[name], old)), new[name]), else_=old)
        if "is_named" in table.c:
            merged["is_named"] = or_(table.c.is_named, new.is_named)
        connection.execute(statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=merged), rows)

    def _ask(self, connection: Connection, tally: Aggregate) -> None:
        rows = [
            {"caller": caller, "operation": operation, **query._asdict()}
            for (caller, operation), query in sorted(tally.queries.items())
        ]
        if rows:
            statement = self._upsert(queries)
            new = statement.excluded
            later = statement.on_conflict_do_update(
                index_elements=list(queries.primary_key),
                set_={name: new[name] for name in Query._fields},
                where=new.at >= queries.c.at,
            )
            connection.execute(later, rows)

    def forget_journal(self, name: str) -> None:
        """Forget how far a journal was read: it is whole in the ledger, and nobody will read it again."""
        with self._engine.begin() as connection:
            connection.execute(delete(journals).where(journals.c.name == name))

    def forget(self, before: date) -> None:
        """Delete what happened before a day."""
        moment = datetime(before.year, before.month, before.day, tzinfo=UTC)
        with self._engine.begin() as connection:
            connection.execute(delete(calls).where(calls.c.day < before))
            connection.execute(delete(queries).where(queries.c.at < moment))
            marked = func.coalesce(callers.c.migrated, callers.c.last_seen)
            connection.execute(delete(callers).where(callers.c.last_seen < moment, marked < moment))

    def mark(self, name: str, migrated: datetime | None) -> bool:
        """Mark a caller as migrated, or as not.

        Returns:
            Whether there is such a caller.
        """
        with self._connected(self._engine) as connection:
            marked = update(callers).where(callers.c.name == name).values(migrated=migrated, since_migrated=0)
            return connection.execute(marked).rowcount > 0

    def summary(self, now: datetime) -> Summary:
        """All callers, as of now."""
        today = now.date()
        counted: defaultdict[str, list[Any]] = defaultdict(list)
        asked: defaultdict[str, list[Any]] = defaultdict(list)
        columns = (calls.c[name] for name in ("caller", "day", "operation", "outcome", "software", "calls"))
        recent = select(*columns).where(calls.c.day > today - timedelta(days=DAYS))
        with self._connected(self._reading) as connection:
            known = connection.execute(select(callers).order_by(callers.c.last_seen.desc(), callers.c.name)).all()
            for row in connection.execute(recent):
                counted[row.caller].append(row)
            for row in connection.execute(select(queries).order_by(queries.c.operation)):
                asked[row.caller].append(row)
        told = (_of_caller(row, counted[row.name], asked[row.name], today) for row in known)
        return Summary(made=now, callers=tuple(told))

    def reason(self, error: BaseException) -> str:
        """What went wrong, in one line and without a statement, its values or the password of the address."""
        if isinstance(error, DBAPIError):
            error = error.orig or error
        elif isinstance(error, SQLAlchemyError):
            return type(error).__name__
        told = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        password = self._engine.url.password
        return told.replace(str(password), "***") if password else told


def _of_caller(caller: Any, counted: Sequence[Any], asked: Sequence[Any], today: date) -> CallerSummary:  # noqa: ANN401 - a row
    daily, outcomes = [0] * DAYS, Counter[str]()
    for row in counted:
        ago = max((today - row.day).days, 0)  # the clock of another gateway may be ahead
        daily[DAYS - 1 - ago] += row.calls
        if ago < _MONTH.days:
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
        last_queries=tuple(LastQuery(**{name: getattr(row, name) for name in _ASKED}) for row in asked),
    )
