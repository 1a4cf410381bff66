import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from shim.ledger import summary
from shim.ledger.aggregate import Aggregate
from shim.ledger.journal import JOURNAL_SUFFIX, MIGRATED_FILE, STATUS_FILE, SUMMARY_FILE, Journal
from shim.ledger.store import LedgerStore
from shim.ledger.writer import Writer
from tests import postgresql
from tests.ledger.lines import line
from tests.ledger.test_journal import CALL
from tests.ledger.test_store import driven, rows
from tests.processes import wait_until


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "journal"
    made.mkdir()
    return made


@pytest.fixture
def journal(folder: Path) -> Journal:
    return Journal(folder, None, pytest.fail, pytest.fail)


def leave(folder: Path, name: str, *lines: bytes, cut: bytes = b"") -> Path:
    """Write the journal of a worker that has ended."""
    path = folder / f"{name}{JOURNAL_SUFFIX}"
    path.write_bytes(b"".join(line + b"\n" for line in lines) + cut)
    return path


def counted(database: str) -> int:
    return sum(row.calls for row in rows(database))


def journals(folder: Path) -> list[str]:
    return [
        path.name for path in folder.iterdir() if path.suffix != ".json" and path.name not in ("key", "writer.lock")
    ]


def test_new_lines_are_counted_at_each_run(database: str, folder: Path, journal: Journal) -> None:
    writer = Writer(LedgerStore(driven(database)), folder, 400)
    for number in range(1, 4):
        journal.record(CALL)
        assert writer.run_once() == ""
        assert counted(database) == number
    assert writer.run_once() == ""
    assert counted(database) == 3
    (path,) = folder.glob(f"*{JOURNAL_SUFFIX}")
    writer.write_status()
    assert json.loads((folder / STATUS_FILE).read_bytes()) == {"read": path.stat().st_size, "failures": 0}


def test_finished_journals_are_deleted(database: str, folder: Path, journal: Journal) -> None:
    leave(folder, "a", line(), line())
    leave(folder, "b", line(), cut=line()[:30])
    leave(folder, "c")
    journal.record(CALL)
    writer = Writer(LedgerStore(driven(database)), folder, 400)
    assert writer.run_once() == ""
    assert (counted(database), len(journals(folder)), writer.has_open_journals) == (4, 1, True)
    assert len(LedgerStore(driven(database)).read_offsets()) == 1


def test_an_unfinished_line_waits_for_its_end(database: str, folder: Path, journal: Journal) -> None:
    journal.record(CALL)
    (path,) = folder.glob(f"*{JOURNAL_SUFFIX}")
    whole = path.read_bytes()
    with path.open("ab") as file:
        file.write(whole[:50])
    writer = Writer(LedgerStore(driven(database)), folder, 400)
    assert (writer.run_once(), counted(database)) == ("", 1)
    with path.open("ab") as file:
        file.write(whole[50:])
    assert (writer.run_once(), counted(database)) == ("", 2)


def test_long_journals_are_counted_in_batches(database: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        leave(folder, name, *[line()] * 5)
    size = 2 * 5 * len(line() + b"\n")
    batches: list[int] = []
    real = LedgerStore.add

    def add(store: LedgerStore, aggregate: Aggregate, offsets: Mapping[str, tuple[int, int]]) -> None:
        batches.append(sum(end - start for start, end in offsets.values()))
        real(store, aggregate, offsets)

    monkeypatch.setattr(LedgerStore, "add", add)
    assert Writer(LedgerStore(driven(database)), folder, 400, batch_bytes=size).run_once() == ""
    assert (counted(database), journals(folder)) == (15, [])
    assert len(batches) > 1
    assert max(batches) <= size


@pytest.mark.parametrize("is_done", [False, True])
@pytest.mark.parametrize("step", ["add", "delete_journal", "rename", "unlink"])
def test_each_call_is_counted_once_wherever_the_writer_is_killed(
    database: str, folder: Path, monkeypatch: pytest.MonkeyPatch, step: str, is_done: bool
) -> None:
    leave(folder, "a", line(), line())
    owner = LedgerStore if step in ("add", "delete_journal") else Path
    real = getattr(owner, step)

    def killed(*arguments: object) -> None:
        if is_done:
            real(*arguments)
        raise KeyboardInterrupt

    victim = Writer(LedgerStore(driven(database)), folder, 400)
    with monkeypatch.context() as patched:
        patched.setattr(owner, step, killed)
        with pytest.raises(KeyboardInterrupt):
            victim.run_once()
    assert Writer(LedgerStore(driven(database)), folder, 400).run_once() == ""
    assert (counted(database), journals(folder)) == (2, [])
    assert LedgerStore(driven(database)).read_offsets() == {}


def test_calls_wait_while_the_database_is_broken(tmp_path: Path, folder: Path, journal: Journal) -> None:
    path = tmp_path / "ledger.db"
    database = f"sqlite:///{path}"
    writer = Writer(LedgerStore(database), folder, 400)
    journal.record(CALL)
    assert writer.run_once() == ""
    path.rename(tmp_path / "kept")
    path.write_bytes(b"no database at all" * 100)
    journal.record(CALL)
    assert (writer.run_once(), writer.failures) == ("file is not a database", 1)
    (tmp_path / "kept").rename(path)
    writer.write_status()
    assert json.loads((folder / STATUS_FILE).read_bytes())["failures"] == 1
    assert (writer.run_once(), counted(database)) == ("", 2)
    assert Writer(LedgerStore(database), folder, 400).failures == 1


def test_calls_wait_while_the_database_is_read_only(
    cluster: postgresql.Cluster, folder: Path, journal: Journal
) -> None:
    database = cluster.database()
    writer = Writer(LedgerStore(driven(database)), folder, 400)
    journal.record(CALL)
    assert writer.run_once() == ""
    with psycopg.connect(database, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
        journal.record(CALL)
        assert "read-only" in writer.run_once()
        connection.execute(b"SET default_transaction_read_only = off")
        connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only".encode())
    assert (writer.run_once(), counted(database)) == ("", 2)


def test_a_deleted_database_is_created_again(tmp_path: Path, folder: Path, journal: Journal) -> None:
    database = f"sqlite:///{tmp_path / 'ledger.db'}"
    writer = Writer(LedgerStore(database), folder, 400)
    journal.record(CALL)
    assert writer.run_once() == ""
    (tmp_path / "ledger.db").unlink()
    journal.record(CALL)
    assert writer.run_once() != ""
    assert (writer.run_once(), counted(database)) == ("", 2)


def test_old_calls_are_purged(database: str, folder: Path) -> None:
    leave(folder, "a", line(), line(at=0))
    writer = Writer(LedgerStore(driven(database)), folder, 400)
    assert writer.run_once() == ""
    assert counted(database) == 1


def test_the_workers_get_the_summary_and_the_migrated_callers_in_files(database: str, folder: Path) -> None:
    leave(folder, "a", line(), line(caller="nightly"))
    ledger = LedgerStore(driven(database))
    writer = Writer(ledger, folder, 400)
    assert writer.run_once() == ""
    known = summary.read(folder / SUMMARY_FILE)
    assert known is not None
    assert [caller.name for caller in known.callers] == ["nightly", "registrar"]
    assert json.loads((folder / MIGRATED_FILE).read_bytes()) == []
    ledger.mark_migrated("nightly", known.made)
    assert writer.run_once(force_summary=True) == ""
    assert json.loads((folder / MIGRATED_FILE).read_bytes()) == ["nightly"]


def test_a_bug_does_not_end_the_writer(database: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = Writer(LedgerStore(driven(database)), folder, 400)
    monkeypatch.setattr(LedgerStore, "read_offsets", lambda store: 1 / 0)
    assert writer.run_once() == f"ZeroDivisionError in {__name__}:{_line_of('1 / 0')}"


def _line_of(text: str) -> int:
    return next(number for number, line in enumerate(Path(__file__).read_text().splitlines(), 1) if text in line)


@contextmanager
def process(database: str, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a writer as the gateway does."""
    settings = {"url": driven(database), "journal": str(folder), "retention_days": 400}
    started = subprocess.Popen([sys.executable, "-m", "shim.ledger.writer"], bufsize=0, stdin=subprocess.PIPE)
    assert started.stdin is not None
    started.stdin.write(json.dumps(settings).encode() + b"\n")
    try:
        yield started
    finally:
        started.stdin.close()
        started.wait(30)


def test_it_counts_the_last_calls_after_the_gateway_has_ended(database: str, folder: Path) -> None:
    with process(database, folder):
        leave(folder, "a", line())
        wait_until(lambda: not journals(folder), "count")
        leave(folder, "b", line())
    assert (counted(database), journals(folder)) == (2, [])


def test_one_writer_at_a_time_works_in_a_folder(database: str, folder: Path) -> None:
    with process(database, folder) as first:
        wait_until((folder / STATUS_FILE).exists, "beginning")
        with process(database, folder) as second:
            leave(folder, "a", *[line()] * 50)
            wait_until(lambda: not journals(folder), "count")
            os.kill(first.pid, signal.SIGKILL)
            leave(folder, "b", *[line()] * 50)
            wait_until(lambda: not journals(folder), "count of the other")
            assert second.poll() is None
    assert counted(database) == 100


def test_calls_wait_while_the_database_is_locked(
    tmp_path: Path, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    database = f"sqlite:///{tmp_path / 'ledger.db'}"
    LedgerStore(database).migrate()
    holder = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with process(database, folder):
        leave(folder, "a", line())
        wait_until((folder / STATUS_FILE).exists, "failure")
        assert json.loads((folder / STATUS_FILE).read_bytes())["failures"] == 1
        holder.close()
        wait_until(lambda: not journals(folder), "count")
    assert counted(database) == 1
    notes = [json.loads(line)["note"] for line in capfd.readouterr().err.splitlines()]
    assert notes == ["database is locked", "can be written to again"]


def test_an_unusable_folder_ends_the_process_with_a_message(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "journal").write_text("no folder")
    with process("sqlite:///unused", tmp_path / "journal") as started:
        assert started.wait(30) == 1
    assert "the journal folder cannot be used: File exists" in capfd.readouterr().err
