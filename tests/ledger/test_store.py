import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import NullPool, create_engine, select

from shim.ledger import schema
from shim.ledger.store import DATABASE_ERRORS, LedgerMissingError, LedgerStore, OffsetMismatchError
from shim.ledger.summary import HISTORY_DAYS
from tests import postgresql
from tests.ledger.lines import NOON, line

_DAY = 86400
_NOW = datetime.fromtimestamp(NOON, UTC)


def driven(url: str) -> str:
    """Return the address with the driver's name, as the configuration does."""
    return url.replace("postgresql://", "postgresql+psycopg://")


@pytest.fixture
def ledger(database: str) -> LedgerStore:
    store = LedgerStore(driven(database))
    store.migrate()
    return store


def add(ledger: LedgerStore, *lines: bytes, start: int = 0, name: str = "a") -> int:
    """Add lines as the part of a journal that starts at an offset, and return the offset of its end."""
    aggregate = ledger.new_aggregate()
    aggregate.add(lines)
    end = start + sum(map(len, lines))
    ledger.add(aggregate, {name: (start, end)})
    return end


def rows(database: str) -> list[Any]:
    with create_engine(driven(database), poolclass=NullPool).connect() as connection:
        found = connection.execute(select(schema.calls)).all()
    return list(found)


def test_the_migrations_create_the_tables_of_the_schema(ledger: LedgerStore, database: str) -> None:
    ledger.migrate()
    with create_engine(driven(database), poolclass=NullPool).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []


def test_batches_are_added_up(ledger: LedgerStore, database: str) -> None:
    first, second = "2025-01-01T00:00:00", "2025-02-01T00:00:00"
    end = add(ledger, line(start=second, end=second), line(outcome="busy", start=None, end=None))
    end = add(ledger, line(at=NOON - 60, start=first, end=first), start=end)
    add(ledger, line(at=NOON + 60, start=None, end=None), start=end)
    ok, busy = sorted(rows(database), key=lambda row: row.outcome != "ok")
    assert (ok.calls, ok.records, ok.bytes, ok.total_us, ok.upstream_us) == (3, 9, 14418, 1_500_000, 1_200_000)
    assert (ok.first_seen, ok.last_seen) == (_NOW - timedelta(seconds=60), _NOW + timedelta(seconds=60))
    assert (ok.startdate, ok.enddate) == (first, second)
    assert (busy.calls, busy.startdate) == (1, None)


def test_a_batch_that_was_counted_is_not_counted_again(ledger: LedgerStore, database: str) -> None:
    end = add(ledger, line())
    for start in (0, end + 1, end - 1):
        with pytest.raises(OffsetMismatchError):
            add(ledger, line(), start=start)
    assert [row.calls for row in rows(database)] == [1]
    assert ledger.read_offsets() == {"a": end}
    ledger.delete_journal("a")
    assert ledger.read_offsets() == {}


def test_a_summary(ledger: LedgerStore) -> None:
    query = {"type": "TOEFL", "reportby": "scorelinkbyreportdate", "format": "json"}
    calls = [
        *(line(at=NOON - ago * _DAY, **query) for ago in (0, 0, 3, 29, 30, HISTORY_DAYS - 1, HISTORY_DAYS, 200)),
        line(at=NOON - 40 * _DAY, outcome="busy"),
        line(at=NOON - 5, operation="getEDIData", outcome="unavailable", software="Zeep 4.3.2"),
    ]
    add(ledger, *calls, line(caller="unknown-1", named=False, at=NOON - 31 * _DAY, operation="", outcome="not-xml"))
    summary = ledger.summary(_NOW)
    registrar, unknown = summary.callers
    assert (registrar.name, registrar.is_named, unknown.is_named) == ("registrar", True, False)
    assert len(registrar.daily) == HISTORY_DAYS
    assert (registrar.daily[-1], registrar.daily[-4], registrar.daily[0]) == (3, 1, 1)
    assert (registrar.calls_7, registrar.calls_30, sum(registrar.daily)) == (4, 5, 8)
    assert registrar.outcomes == {"ok": 4, "unavailable": 1}
    assert registrar.operations == ("GetScores", "getEDIData")
    assert registrar.software == ("PHP-SOAP 8.2", "Zeep 4.3.2")
    assert registrar.first_seen == _NOW - timedelta(days=200)
    assert registrar.last_seen == _NOW
    assert [(query.operation, query.format) for query in registrar.last_queries] == [("GetScores", "json")]
    assert (unknown.operations, unknown.outcomes, unknown.trend) == ((), {}, "silent")
    assert summary.remaining_callers == (registrar,)


def test_a_caller_is_marked_as_migrated(ledger: LedgerStore) -> None:
    end = add(ledger, line(at=NOON - _DAY))
    assert not ledger.mark_migrated("nightly", _NOW)
    assert ledger.mark_migrated("registrar", _NOW)
    (caller,) = ledger.summary(_NOW).callers
    assert (caller.migrated, caller.calls_since_migrated, caller.safe_since(_NOW)) == (_NOW, 0, _NOW)
    # The first of these ended before the caller was marked, but is counted later.
    end = add(ledger, line(at=NOON - 1), line(at=NOON + 1), start=end)
    end = add(ledger, line(at=NOON + 2), start=end)
    (caller,) = ledger.summary(_NOW).callers
    assert (caller.migrated, caller.calls_since_migrated, caller.safe_since(_NOW)) == (_NOW, 2, None)
    assert ledger.mark_migrated("registrar", None)
    add(ledger, line(at=NOON + 3), start=end)
    (caller,) = ledger.summary(_NOW).callers
    assert (caller.migrated, caller.calls_since_migrated) == (None, 0)


def test_a_late_line_does_not_replace_the_last_query(ledger: LedgerStore) -> None:
    words = {"type": "TOEFL", "reportby": "by"}
    end = add(ledger, line(start="2025-02-01T00:00:00", **words))
    add(ledger, line(at=NOON - 5, start="2025-01-01T00:00:00", **words), start=end)
    (query,) = ledger.summary(_NOW).callers[0].last_queries
    assert query.startdate == "2025-02-01T00:00:00"


def test_old_calls_are_purged(ledger: LedgerStore, database: str) -> None:
    old, new = line(at=NOON - 10 * _DAY, caller="nightly", type="TOEFL", reportby="by"), line()
    add(ledger, old, line(at=NOON - 10 * _DAY), new)
    ledger.purge(date(2026, 11, 20))
    assert [(row.day, row.caller) for row in rows(database)] == [(date(2026, 11, 24), "registrar")]
    assert [(caller.name, caller.last_queries) for caller in ledger.summary(_NOW).callers] == [("registrar", ())]


def test_a_caller_that_was_marked_recently_is_not_purged(ledger: LedgerStore) -> None:
    add(ledger, line(at=NOON - 10 * _DAY))
    ledger.mark_migrated("registrar", _NOW)
    ledger.purge(date(2026, 11, 20))
    assert len(ledger.summary(_NOW).callers) == 1
    ledger.purge(date(2026, 11, 25))
    assert ledger.summary(_NOW).callers == ()


def test_a_new_aggregate_knows_migrated_and_unnamed_callers(ledger: LedgerStore) -> None:
    add(ledger, line(), line(caller="unknown-1", named=False))
    ledger.mark_migrated("registrar", _NOW)
    aggregate = ledger.new_aggregate()
    assert (aggregate.migrated, aggregate.unnamed) == ({"registrar": _NOW}, {"unknown-1"})


def test_checking_changes_nothing(database: str, tmp_path: Path) -> None:
    store = LedgerStore(driven(database))
    for use in (store.check, store.read_offsets, lambda: store.summary(_NOW), lambda: store.mark_migrated("a", _NOW)):
        with pytest.raises(LedgerMissingError, match="yet"):
            use()
    assert list(tmp_path.iterdir()) == []
    store.migrate()
    store.check()


def test_only_the_owner_can_read_the_database_file(tmp_path: Path) -> None:
    LedgerStore(f"sqlite:///{tmp_path / 'ledger.db'}").migrate()
    assert (tmp_path / "ledger.db").stat().st_mode & 0o777 == 0o600


def test_a_described_error_contains_no_password_and_no_values(cluster: postgresql.Cluster, tmp_path: Path) -> None:
    wrong = driven(cluster.address("none")).replace(postgresql.PASSWORD, "synthetic-wrong-password")
    broken = tmp_path / "ledger.db"
    broken.write_bytes(b"no database at all" * 100)
    locked = tmp_path / "locked.db"
    LedgerStore(f"sqlite:///{locked}").migrate()
    holder = sqlite3.connect(locked, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    reasons = []
    for url in (wrong, f"sqlite:///{broken}", f"sqlite:///{locked}"):
        ledger = LedgerStore(url)
        with pytest.raises(DATABASE_ERRORS) as raised:
            ledger.check()
        reasons.append(ledger.describe(raised.value))
    holder.close()
    assert "password authentication failed" in reasons[0]
    assert reasons[1:] == ["file is not a database", "database is locked"]
    assert not any("synthetic-wrong-password" in reason or "\n" in reason for reason in reasons)
