import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from shim.ledger import summary, writer
from shim.ledger.journal import MIGRATED, STATUS, SUFFIX, SUMMARY, Journal
from shim.ledger.store import Ledger
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
def written(folder: Path) -> Journal:
    return Journal(folder, None, pytest.fail, pytest.fail)


def leave(folder: Path, name: str, *lines: bytes, cut: bytes = b"") -> Path:
    """The journal of a worker that ended."""
    path = folder / f"{name}{SUFFIX}"
    path.write_bytes(b"".join(line + b"\n" for line in lines) + cut)
    return path


def counted(database: str) -> int:
    return sum(row.calls for row in rows(database))


def left(folder: Path) -> list[str]:
    return [
        path.name for path in folder.iterdir() if path.suffix != ".json" and path.name not in ("key", "writer.lock")
    ]


def test_a_journal_is_counted_as_it_grows(database: str, folder: Path, written: Journal) -> None:
    one = Writer(Ledger(driven(database)), folder, 400)
    for number in range(1, 4):
        written.record(CALL)
        assert one.turn() == ""
        assert counted(database) == number
    assert one.turn() == ""
    assert counted(database) == 3
    (path,) = folder.glob(f"*{SUFFIX}")
    one.report()
    assert json.loads((folder / STATUS).read_bytes()) == {"read": path.stat().st_size, "failures": 0}


def test_journals_of_workers_that_ended_are_deleted(database: str, folder: Path, written: Journal) -> None:
    leave(folder, "a", line(), line())
    leave(folder, "b", line(), cut=line()[:30])
    leave(folder, "c")
    written.record(CALL)
    one = Writer(Ledger(driven(database)), folder, 400)
    assert one.turn() == ""
    assert (counted(database), len(left(folder)), one.is_waiting) == (4, 1, True)
    assert len(Ledger(driven(database)).read_to()) == 1


def test_a_line_that_is_not_whole_yet_is_waited_for(database: str, folder: Path, written: Journal) -> None:
    written.record(CALL)
    (path,) = folder.glob(f"*{SUFFIX}")
    whole = path.read_bytes()
    with path.open("ab") as file:
        file.write(whole[:50])
    one = Writer(Ledger(driven(database)), folder, 400)
    assert (one.turn(), counted(database)) == ("", 1)
    with path.open("ab") as file:
        file.write(whole[50:])
    assert (one.turn(), counted(database)) == ("", 2)


def test_a_long_journal_is_counted_in_batches(database: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_BATCH", 1000)
    leave(folder, "a", *[line()] * 20)
    leave(folder, "b", *[line()] * 20)
    assert Writer(Ledger(driven(database)), folder, 400).turn() == ""
    assert (counted(database), left(folder)) == (40, [])


@pytest.mark.parametrize("is_done", [False, True])
@pytest.mark.parametrize("step", ["add", "forget_journal", "rename", "unlink"])
def test_wherever_it_is_killed_each_call_is_counted_once(
    database: str, folder: Path, monkeypatch: pytest.MonkeyPatch, step: str, is_done: bool
) -> None:
    leave(folder, "a", line(), line())
    owner = Ledger if step in ("add", "forget_journal") else Path
    real = getattr(owner, step)

    def killed(*arguments: object) -> None:
        if is_done:
            real(*arguments)
        raise KeyboardInterrupt

    victim = Writer(Ledger(driven(database)), folder, 400)
    with monkeypatch.context() as patched:
        patched.setattr(owner, step, killed)
        with pytest.raises(KeyboardInterrupt):
            victim.turn()
    assert Writer(Ledger(driven(database)), folder, 400).turn() == ""
    assert (counted(database), left(folder)) == (2, [])
    assert Ledger(driven(database)).read_to() == {}


def test_a_database_that_cannot_be_used_is_waited_for(tmp_path: Path, folder: Path, written: Journal) -> None:
    path = tmp_path / "ledger.db"
    database = f"sqlite:///{path}"
    one = Writer(Ledger(database), folder, 400)
    written.record(CALL)
    assert one.turn() == ""
    path.rename(tmp_path / "kept")
    path.write_bytes(b"no database at all" * 100)
    written.record(CALL)
    assert (one.turn(), one.failures) == ("file is not a database", 1)
    (tmp_path / "kept").rename(path)
    one.report()
    assert json.loads((folder / STATUS).read_bytes())["failures"] == 1
    assert (one.turn(), counted(database)) == ("", 2)
    assert Writer(Ledger(database), folder, 400).failures == 1


def test_a_database_that_is_read_only_is_waited_for(
    cluster: postgresql.Cluster, folder: Path, written: Journal
) -> None:
    database = cluster.database()
    one = Writer(Ledger(driven(database)), folder, 400)
    written.record(CALL)
    assert one.turn() == ""
    with psycopg.connect(database, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
        written.record(CALL)
        assert "read-only" in one.turn()
        connection.execute(b"SET default_transaction_read_only = off")
        connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only".encode())
    assert (one.turn(), counted(database)) == ("", 2)


def test_a_database_that_was_deleted_is_made_again(tmp_path: Path, folder: Path, written: Journal) -> None:
    database = f"sqlite:///{tmp_path / 'ledger.db'}"
    one = Writer(Ledger(database), folder, 400)
    written.record(CALL)
    assert one.turn() == ""
    (tmp_path / "ledger.db").unlink()
    written.record(CALL)
    assert one.turn() != ""
    assert (one.turn(), counted(database)) == ("", 2)


def test_what_is_old_is_forgotten_once_a_day(database: str, folder: Path) -> None:
    leave(folder, "a", line(), line(at=0))
    one = Writer(Ledger(driven(database)), folder, 400)
    assert one.turn() == ""
    assert counted(database) == 1


def test_what_workers_may_know_is_in_files(database: str, folder: Path) -> None:
    leave(folder, "a", line(), line(caller="nightly"))
    ledger = Ledger(driven(database))
    one = Writer(ledger, folder, 400)
    assert one.turn() == ""
    told = summary.read(folder / SUMMARY)
    assert told is not None
    assert [caller.name for caller in told.callers] == ["nightly", "registrar"]
    assert json.loads((folder / MIGRATED).read_bytes()) == []
    ledger.mark("nightly", told.made)
    assert one.turn(last=True) == ""
    assert json.loads((folder / MIGRATED).read_bytes()) == ["nightly"]


def test_a_mistake_of_ours_does_not_end_it(database: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Writer(Ledger(driven(database)), folder, 400)
    monkeypatch.setattr(one, "_parts", lambda read: 1 / 0)
    assert one.turn() == "ZeroDivisionError in " + f"{__name__}:{_line_of('1 / 0')}"


def _line_of(text: str) -> int:
    return next(number for number, line in enumerate(Path(__file__).read_text().splitlines(), 1) if text in line)


@contextmanager
def process(database: str, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A writer as the gateway starts it."""
    settings = {"url": driven(database), "journal": str(folder), "retention_days": 400}
    started = subprocess.Popen([sys.executable, "-m", "shim.ledger.writer"], bufsize=0, stdin=subprocess.PIPE)
    assert started.stdin is not None
    started.stdin.write(json.dumps(settings).encode() + b"\n")
    try:
        yield started
    finally:
        started.stdin.close()
        started.wait(30)


def test_it_counts_the_last_calls_when_the_gateway_is_gone(database: str, folder: Path) -> None:
    with process(database, folder):
        leave(folder, "a", line())
        wait_until(lambda: not left(folder), "count")
        leave(folder, "b", line())
    assert (counted(database), left(folder)) == (2, [])


def test_one_at_a_time_works_in_a_folder(database: str, folder: Path) -> None:
    with process(database, folder) as first:
        wait_until((folder / STATUS).exists, "beginning")
        with process(database, folder) as second:
            leave(folder, "a", *[line()] * 50)
            wait_until(lambda: not left(folder), "count")
            os.kill(first.pid, signal.SIGKILL)
            leave(folder, "b", *[line()] * 50)
            wait_until(lambda: not left(folder), "count of the other")
            assert second.poll() is None
    assert counted(database) == 100


def test_a_locked_database_is_waited_for(tmp_path: Path, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    database = f"sqlite:///{tmp_path / 'ledger.db'}"
    Ledger(database).migrate()
    holder = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with process(database, folder):
        leave(folder, "a", line())
        wait_until((folder / STATUS).exists, "failure")
        assert json.loads((folder / STATUS).read_bytes())["failures"] == 1
        holder.close()
        wait_until(lambda: not left(folder), "count")
    assert counted(database) == 1
    notes = [json.loads(line)["note"] for line in capfd.readouterr().err.splitlines()]
    assert notes == ["database is locked", "can be written to again"]


def test_a_folder_that_cannot_be_used_ends_it_with_a_word(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "journal").write_text("no folder")
    with process("sqlite:///unused", tmp_path / "journal") as started:
        assert started.wait(30) == 1
    assert "the journal cannot be used: File exists" in capfd.readouterr().err
