import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import NullPool, create_engine, select

from shim.ledger import store as ledgers
from shim.ledger.store import AbsentError, Ledger, OutOfStepError
from shim.ledger.summary import DAYS
from tests import postgresql
from tests.ledger.lines import NOON, line

_DAY = 86400
_NOW = datetime.fromtimestamp(NOON, UTC)


def driven(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://")


@pytest.fixture
def ledger(database: str) -> Ledger:
    made = Ledger(driven(database))
    made.migrate()
    return made


def add(ledger: Ledger, *lines: bytes, begin: int = 0, name: str = "a") -> int:
    tally = ledger.blank()
    tally.add(lines)
    end = begin + sum(map(len, lines))
    ledger.add(tally, {name: (begin, end)})
    return end


def rows(database: str) -> list[Any]:
    with create_engine(driven(database), poolclass=NullPool).connect() as connection:
        found = connection.execute(select(ledgers.calls)).all()
    return list(found)


def test_the_migrations_make_the_tables_that_are_used(ledger: Ledger, database: str) -> None:
    ledger.migrate()
    with create_engine(driven(database), poolclass=NullPool).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), ledgers.metadata) == []


def test_parts_are_summed(ledger: Ledger, database: str) -> None:
    first, second = "2025-01-01T00:00:00", "2025-02-01T00:00:00"
    end = add(ledger, line(start=second, end=second), line(outcome="busy", start=None, end=None))
    end = add(ledger, line(at=NOON - 60, start=first, end=first), begin=end)
    add(ledger, line(at=NOON + 60, start=None, end=None), begin=end)
    ok, busy = sorted(rows(database), key=lambda row: row.outcome != "ok")
    assert (ok.calls, ok.records, ok.bytes, ok.total_us, ok.upstream_us) == (3, 9, 14418, 1_500_000, 1_200_000)
    assert (ok.first_seen, ok.last_seen) == (_NOW - timedelta(seconds=60), _NOW + timedelta(seconds=60))
    assert (ok.startdate, ok.enddate) == (first, second)
    assert (busy.calls, busy.startdate) == (1, None)


def test_a_part_that_was_counted_is_not_counted_again(ledger: Ledger, database: str) -> None:
    end = add(ledger, line())
    for begin in (0, end + 1, end - 1):
        with pytest.raises(OutOfStepError):
            add(ledger, line(), begin=begin)
    assert [row.calls for row in rows(database)] == [1]
    assert ledger.read_to() == {"a": end}
    ledger.forget_journal("a")
    assert ledger.read_to() == {}


def test_a_summary(ledger: Ledger) -> None:
    query = {"type": "TOEFL", "reportby": "scorelinkbyreportdate", "format": "json"}
    calls = [
        *(line(at=NOON - ago * _DAY, **query) for ago in (0, 0, 3, 29, 30, DAYS - 1, DAYS, 200)),
        line(at=NOON - 40 * _DAY, outcome="busy"),
        line(at=NOON - 5, operation="getEDIData", outcome="unavailable", software="Zeep 4.3.2"),
    ]
    add(ledger, *calls, line(caller="unknown-1", named=False, at=NOON - 31 * _DAY, operation="", outcome="not-xml"))
    summary = ledger.summary(_NOW)
    registrar, unknown = summary.callers
    assert (registrar.name, registrar.is_named, unknown.is_named) == ("registrar", True, False)
    assert len(registrar.daily) == DAYS
    assert (registrar.daily[-1], registrar.daily[-4], registrar.daily[0]) == (3, 1, 1)
    assert (registrar.calls_7, registrar.calls_30, sum(registrar.daily)) == (4, 5, 8)
    assert registrar.outcomes == {"ok": 4, "unavailable": 1}
    assert registrar.operations == ("GetScores", "getEDIData")
    assert registrar.software == ("PHP-SOAP 8.2", "Zeep 4.3.2")
    assert registrar.first_seen == _NOW - timedelta(days=200)
    assert registrar.last_seen == _NOW
    assert [(query.operation, query.format) for query in registrar.last_queries] == [("GetScores", "json")]
    assert (unknown.operations, unknown.outcomes, unknown.trend) == ((), {}, "silent")
    assert summary.in_use_by == (registrar,)


def test_the_mark(ledger: Ledger) -> None:
    end = add(ledger, line(at=NOON - _DAY))
    assert not ledger.mark("nightly", _NOW)
    assert ledger.mark("registrar", _NOW)
    (caller,) = ledger.summary(_NOW).callers
    assert (caller.migrated, caller.calls_since_migrated, caller.safe_since(_NOW)) == (_NOW, 0, _NOW)
    # The first of them ended before the mark, though it is counted after it.
    end = add(ledger, line(at=NOON - 1), line(at=NOON + 1), begin=end)
    end = add(ledger, line(at=NOON + 2), begin=end)
    (caller,) = ledger.summary(_NOW).callers
    assert (caller.migrated, caller.calls_since_migrated, caller.safe_since(_NOW)) == (_NOW, 2, None)
    assert ledger.mark("registrar", None)
    add(ledger, line(at=NOON + 3), begin=end)
    (caller,) = ledger.summary(_NOW).callers
    assert (caller.migrated, caller.calls_since_migrated) == (None, 0)


def test_the_last_query_stays_though_an_earlier_one_comes_later(ledger: Ledger) -> None:
    words = {"type": "TOEFL", "reportby": "by"}
    end = add(ledger, line(start="2025-02-01T00:00:00", **words))
    add(ledger, line(at=NOON - 5, start="2025-01-01T00:00:00", **words), begin=end)
    (query,) = ledger.summary(_NOW).callers[0].last_queries
    assert query.startdate == "2025-02-01T00:00:00"


def test_what_is_old_is_forgotten(ledger: Ledger, database: str) -> None:
    old, new = line(at=NOON - 10 * _DAY, caller="nightly", type="TOEFL", reportby="by"), line()
    add(ledger, old, line(at=NOON - 10 * _DAY), new)
    ledger.forget(date(2026, 11, 20))
    assert [(row.day, row.caller) for row in rows(database)] == [(date(2026, 11, 24), "registrar")]
    assert [(caller.name, caller.last_queries) for caller in ledger.summary(_NOW).callers] == [("registrar", ())]


def test_who_was_marked_lately_is_not_forgotten(ledger: Ledger) -> None:
    add(ledger, line(at=NOON - 10 * _DAY))
    ledger.mark("registrar", _NOW)
    ledger.forget(date(2026, 11, 20))
    assert len(ledger.summary(_NOW).callers) == 1
    ledger.forget(date(2026, 11, 25))
    assert ledger.summary(_NOW).callers == ()


def test_who_is_known_is_told_for_the_next_count(ledger: Ledger) -> None:
    add(ledger, line(), line(caller="unknown-1", named=False))
    ledger.mark("registrar", _NOW)
    tally = ledger.blank()
    assert (tally.marks, tally.unnamed) == ({"registrar": _NOW}, {"unknown-1"})


def test_checking_changes_nothing(database: str, tmp_path: Path) -> None:
    unmade = Ledger(driven(database))
    for look in (unmade.check, unmade.read_to, lambda: unmade.summary(_NOW), lambda: unmade.mark("a", _NOW)):
        with pytest.raises(AbsentError, match="yet"):
            look()
    assert list(tmp_path.iterdir()) == []
    unmade.migrate()
    unmade.check()


def test_only_its_owner_can_read_a_file(tmp_path: Path) -> None:
    Ledger(f"sqlite:///{tmp_path / 'ledger.db'}").migrate()
    assert (tmp_path / "ledger.db").stat().st_mode & 0o777 == 0o600


def test_reasons_hold_no_password_and_no_values(cluster: postgresql.Cluster, tmp_path: Path) -> None:
    wrong = driven(cluster.address("none")).replace(postgresql.PASSWORD, "synthetic-wrong-password")
    broken = tmp_path / "ledger.db"
    broken.write_bytes(b"no database at all" * 100)
    locked = tmp_path / "locked.db"
    Ledger(f"sqlite:///{locked}").migrate()
    holder = sqlite3.connect(locked, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    reasons = []
    for url in (wrong, f"sqlite:///{broken}", f"sqlite:///{locked}"):
        ledger = Ledger(url)
        with pytest.raises(ledgers.FAILURES) as raised:
            ledger.check()
        reasons.append(ledger.reason(raised.value))
    holder.close()
    assert "password authentication failed" in reasons[0]
    assert reasons[1:] == ["file is not a database", "database is locked"]
    assert not any("synthetic-wrong-password" in reason or "\n" in reason for reason in reasons)
