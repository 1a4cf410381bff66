import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from shim.ledger import journal
from shim.ledger.journal import MIGRATED, STATUS, SUFFIX, Backlog, Journal

CALL = {
    "request": "0123456789abcdef",
    "caller": "registrar",
    "operation": "GetScores",
    "outcome": "ok",
    "soap": "1.1",
    "software": "PHP-SOAP 8.2",
    "seconds": 0.5,
    "upstream": 0.4,
    "records": 3,
    "bytes": 4806,
    "start": "2025-04-21T16:45:03",
    "end": "2025-04-22T16:52:13",
    "type": "TOEFL",
    "reportby": "scorelinkbyreportdate",
    "format": "text",
    "address": "192.0.2.7",
}
UNNAMED = {name: value for name, value in CALL.items() if name != "caller"} | {"outcome": "not-authenticated"}


class Lost:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> None:
        self.calls += 1


@pytest.fixture
def lost() -> Lost:
    return Lost()


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{SUFFIX}"))


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in files(folder) for line in path.read_bytes().splitlines() if line]


def test_a_call_is_a_line(tmp_path: Path, lost: Lost) -> None:
    Journal(tmp_path / "journal", None, lost, pytest.fail).record(CALL)
    (line,) = lines(tmp_path / "journal")
    assert isinstance(line.pop("at"), float)
    assert line == {name: CALL[name] for name in CALL if name not in ("request", "address")} | {"named": True}
    assert lost.calls == 0


def test_nobody_else_can_read_it(tmp_path: Path, lost: Lost) -> None:
    Journal(tmp_path / "journal", None, lost, pytest.fail).record(CALL)
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "journal").iterdir()}
    assert ((tmp_path / "journal").stat().st_mode & 0o777, modes) == (0o700, {0o600})


@pytest.mark.parametrize(
    ("call", "has"),
    [
        (CALL, True),
        (CALL | {"outcome": "upstream-query"}, False),
        (CALL | {"type": "a word\nand more"}, False),
        (CALL | {"type": "x" * 65}, False),
    ],
)
def test_the_callers_own_words_are_kept_where_they_are_known_to_be_right(
    tmp_path: Path, lost: Lost, call: dict[str, Any], has: bool
) -> None:
    Journal(tmp_path, None, lost, pytest.fail).record(call)
    (line,) = lines(tmp_path)
    assert ("type" in line) == has


def test_callers_without_a_name_are_hashes_of_their_address_and_software(tmp_path: Path, lost: Lost) -> None:
    written = Journal(tmp_path / "one", None, lost, pytest.fail)
    for more in ({}, {}, {"address": "192.0.2.8"}, {"software": "Zeep"}):
        written.record(UNNAMED | more)
    first, again, other_address, other_software = (line["caller"] for line in lines(tmp_path / "one"))
    assert first == again
    assert len({first, other_address, other_software}) == 3
    assert len(first) == len("unknown-") + 8
    assert b"192.0.2" not in files(tmp_path / "one")[0].read_bytes()
    assert not any(line["named"] for line in lines(tmp_path / "one"))


def test_the_key_is_kept_and_can_be_shared(tmp_path: Path, lost: Lost) -> None:
    (tmp_path / "key").write_text("synthetic")
    places = [("one", None), ("one", None), ("two", None), ("three", tmp_path / "key"), ("four", tmp_path / "key")]
    for number, (place, key) in enumerate(places):
        Journal(tmp_path / place, key, lost, pytest.fail).record(UNNAMED | {"seconds": number})
    names = {
        line["seconds"]: line["caller"] for place in {place for place, _ in places} for line in lines(tmp_path / place)
    }
    assert names[0] == names[1]
    assert names[3] == names[4]
    assert len({names[0], names[2], names[3]}) == 3


def test_two_that_make_the_key_at_once_have_the_same(tmp_path: Path, lost: Lost) -> None:
    journals: list[Journal] = []
    threads = [
        threading.Thread(target=lambda: journals.append(Journal(tmp_path / "journal", None, lost, pytest.fail)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for written in journals:
        written.record(UNNAMED)
    assert len({line["caller"] for line in lines(tmp_path / "journal")}) == 1
    assert sorted(path.suffix for path in (tmp_path / "journal").iterdir()) == ["", *[SUFFIX] * 8]


def test_a_large_file_is_left_for_the_next(tmp_path: Path, lost: Lost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_FILE", 500)
    written = Journal(tmp_path, None, lost, pytest.fail)
    for _ in range(9):
        written.record(CALL)
    assert len(files(tmp_path)) == 5
    assert len(lines(tmp_path)) == 9


def test_each_process_has_a_file_of_its_own(tmp_path: Path, lost: Lost) -> None:
    written = Journal(tmp_path, None, lost, pytest.fail)
    children = []
    for _ in range(2):
        child = os.fork()
        if not child:
            written.record(CALL)
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    assert len(files(tmp_path)) == len(lines(tmp_path)) == 2


def test_what_cannot_be_written_is_counted(tmp_path: Path, lost: Lost) -> None:
    (tmp_path / "journal").write_text("no folder")
    written = Journal(tmp_path / "journal", None, lost, pytest.fail)
    written.record(CALL)
    written.record(UNNAMED)
    assert lost.calls == 2


def test_a_full_journal_is_counted_until_there_is_room(
    tmp_path: Path, lost: Lost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_MOST", 500)
    monkeypatch.setattr(journal, "_LOOK", 0)
    written = Journal(tmp_path, None, lost, pytest.fail)
    for _ in range(9):
        written.record(CALL)
    assert lost.calls + len(lines(tmp_path)) == 9
    assert lost.calls > 5
    monkeypatch.setattr(journal, "_MOST", 5000)
    before = lost.calls
    written.record(CALL)
    assert lost.calls == before


def test_a_line_that_was_cut_spoils_no_other(tmp_path: Path, lost: Lost, monkeypatch: pytest.MonkeyPatch) -> None:
    written = Journal(tmp_path, None, lost, pytest.fail)
    written.record(CALL)
    real = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda file, text: real(file, text[:20]))
        written.record(CALL)
    written.record(CALL)
    (path,) = files(tmp_path)
    first, cut, last = path.read_bytes().splitlines()
    assert (len(cut), json.loads(first)["caller"], json.loads(last)["caller"]) == (20, "registrar", "registrar")
    assert lost.calls == 1


def test_a_folder_that_was_deleted_is_made_again(tmp_path: Path, lost: Lost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_LOOK", 0)
    written = Journal(tmp_path / "journal", None, lost, pytest.fail)
    written.record(CALL)
    for path in (tmp_path / "journal").iterdir():
        path.unlink()
    (tmp_path / "journal").rmdir()
    written.record(CALL)
    assert (len(lines(tmp_path / "journal")), lost.calls) == (1, 0)


def test_a_caller_that_is_marked_as_migrated_is_warned_of(
    tmp_path: Path, lost: Lost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_LOOK", 0)
    told: list[str] = []
    written = Journal(tmp_path, None, lost, told.append)
    (tmp_path / MIGRATED).write_text('["nightly","registrar"]')
    with capture_logs() as logged:
        written.record(CALL)
        written.record(CALL | {"caller": "admissions"})
        written.record(UNNAMED)
    (warning,) = logged
    assert (warning["event"], warning["caller"], warning["log_level"]) == ("migrated", "registrar", "warning")
    (tmp_path / MIGRATED).write_text('["nightly"]')
    os.utime(tmp_path / MIGRATED, ns=(1, 1))
    with capture_logs() as logged:
        written.record(CALL)
    assert logged == []
    assert told == ["registrar"]
    assert lost.calls == 0


def test_the_backlog_is_what_is_not_in_the_ledger(tmp_path: Path, lost: Lost) -> None:
    def told() -> tuple[float, float]:
        waiting, failures = (family.samples[0].value for family in Backlog(tmp_path).collect())
        return waiting, failures

    assert told() == (0, 0)
    Journal(tmp_path, None, lost, pytest.fail).record(CALL)
    size = files(tmp_path)[0].stat().st_size
    assert told() == (size, 0)
    (tmp_path / STATUS).write_text(json.dumps({"read": size - 5, "failures": 7}))
    assert told() == (5, 7)
