import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from shim.ledger.journal import JOURNAL_SUFFIX, MIGRATED_FILE, Journal, JournalLimits

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


class Losses:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> None:
        self.calls += 1


@pytest.fixture
def losses() -> Losses:
    return Losses()


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{JOURNAL_SUFFIX}"))


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in files(folder) for line in path.read_bytes().splitlines() if line]


def test_each_call_is_one_line(tmp_path: Path, losses: Losses) -> None:
    Journal(tmp_path / "journal", None, losses, pytest.fail).record(CALL)
    (line,) = lines(tmp_path / "journal")
    assert isinstance(line.pop("at"), float)
    assert line == {name: CALL[name] for name in CALL if name not in ("request", "address")} | {"named": True}
    assert losses.calls == 0


def test_only_the_owner_can_read_the_folder(tmp_path: Path, losses: Losses) -> None:
    Journal(tmp_path / "journal", None, losses, pytest.fail).record(CALL)
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "journal").iterdir()}
    assert ((tmp_path / "journal").stat().st_mode & 0o777, modes) == (0o700, {0o600})


@pytest.mark.parametrize(
    ("call", "is_recorded"),
    [
        (CALL, True),
        (CALL | {"outcome": "upstream-query"}, False),
        (CALL | {"type": "a word\nand more"}, False),
        (CALL | {"type": "x" * 65}, False),
    ],
)
def test_free_text_of_the_caller_is_recorded_only_if_it_was_accepted(
    tmp_path: Path, losses: Losses, call: dict[str, Any], is_recorded: bool
) -> None:
    Journal(tmp_path, None, losses, pytest.fail).record(call)
    (line,) = lines(tmp_path)
    assert ("type" in line) == is_recorded


def test_an_unnamed_caller_is_a_hash_of_its_address_and_software(tmp_path: Path, losses: Losses) -> None:
    journal = Journal(tmp_path / "one", None, losses, pytest.fail)
    for more in ({}, {}, {"address": "192.0.2.8"}, {"software": "Zeep"}):
        journal.record(UNNAMED | more)
    first, again, other_address, other_software = (line["caller"] for line in lines(tmp_path / "one"))
    assert first == again
    assert len({first, other_address, other_software}) == 3
    assert len(first) == len("unknown-") + 8
    assert b"192.0.2" not in files(tmp_path / "one")[0].read_bytes()
    assert not any(line["named"] for line in lines(tmp_path / "one"))


def test_the_key_survives_a_restart_and_can_be_shared(tmp_path: Path, losses: Losses) -> None:
    (tmp_path / "key").write_text("synthetic")
    runs = [("one", None), ("one", None), ("two", None), ("three", tmp_path / "key"), ("four", tmp_path / "key")]
    for number, (folder, key) in enumerate(runs):
        Journal(tmp_path / folder, key, losses, pytest.fail).record(UNNAMED | {"seconds": number})
    names = {line["seconds"]: line["caller"] for folder in dict(runs) for line in lines(tmp_path / folder)}
    assert names[0] == names[1]
    assert names[3] == names[4]
    assert len({names[0], names[2], names[3]}) == 3


def test_gateways_that_start_together_use_the_same_key(tmp_path: Path, losses: Losses) -> None:
    journals: list[Journal] = []
    threads = [
        threading.Thread(target=lambda: journals.append(Journal(tmp_path / "journal", None, losses, pytest.fail)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for journal in journals:
        journal.record(UNNAMED)
    assert len({line["caller"] for line in lines(tmp_path / "journal")}) == 1
    assert sorted(path.suffix for path in (tmp_path / "journal").iterdir()) == ["", *[JOURNAL_SUFFIX] * 8]


def test_a_large_file_is_followed_by_another(tmp_path: Path, losses: Losses) -> None:
    journal = Journal(tmp_path, None, losses, pytest.fail, JournalLimits(file_bytes=500))
    for _ in range(9):
        journal.record(CALL)
    assert len(files(tmp_path)) == 5
    assert len(lines(tmp_path)) == 9


def test_each_process_has_a_file_of_its_own(tmp_path: Path, losses: Losses) -> None:
    journal = Journal(tmp_path, None, losses, pytest.fail)
    children = []
    for _ in range(2):
        child = os.fork()
        if not child:
            journal.record(CALL)
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    assert len(files(tmp_path)) == len(lines(tmp_path)) == 2


def test_a_call_that_cannot_be_written_is_lost(tmp_path: Path, losses: Losses) -> None:
    (tmp_path / "journal").write_text("no folder")
    journal = Journal(tmp_path / "journal", None, losses, pytest.fail)
    journal.record(CALL)
    journal.record(UNNAMED)
    assert losses.calls == 2


def test_calls_are_lost_while_the_folder_is_full(tmp_path: Path, losses: Losses) -> None:
    limits = JournalLimits(folder_bytes=500, refresh_seconds=0)
    journal = Journal(tmp_path, None, losses, pytest.fail, limits)
    for _ in range(9):
        journal.record(CALL)
    assert losses.calls + len(lines(tmp_path)) == 9
    assert losses.calls > 5
    before = losses.calls
    for path in files(tmp_path):
        path.unlink()
    journal.record(CALL)
    assert (losses.calls, len(lines(tmp_path))) == (before, 1)


def test_a_cut_line_spoils_no_other(tmp_path: Path, losses: Losses, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path, None, losses, pytest.fail)
    journal.record(CALL)
    real = os.write
    with monkeypatch.context() as full_disk:
        full_disk.setattr(os, "write", lambda file, text: real(file, text[:20]))
        journal.record(CALL)
    journal.record(CALL)
    (path,) = files(tmp_path)
    first, cut, last = path.read_bytes().splitlines()
    assert (len(cut), json.loads(first)["caller"], json.loads(last)["caller"]) == (20, "registrar", "registrar")
    assert losses.calls == 1


def test_a_deleted_folder_is_created_again(tmp_path: Path, losses: Losses) -> None:
    journal = Journal(tmp_path / "journal", None, losses, pytest.fail, JournalLimits(refresh_seconds=0))
    journal.record(CALL)
    for path in (tmp_path / "journal").iterdir():
        path.unlink()
    (tmp_path / "journal").rmdir()
    journal.record(CALL)
    assert (len(lines(tmp_path / "journal")), losses.calls) == (1, 0)


def test_a_migrated_caller_that_calls_is_logged_and_reported(tmp_path: Path, losses: Losses) -> None:
    reported: list[str] = []
    journal = Journal(tmp_path, None, losses, reported.append, JournalLimits(refresh_seconds=0))
    (tmp_path / MIGRATED_FILE).write_text('["nightly","registrar"]')
    with capture_logs() as logged:
        journal.record(CALL)
        journal.record(CALL | {"caller": "admissions"})
        journal.record(UNNAMED)
    (warning,) = logged
    assert (warning["event"], warning["caller"], warning["log_level"]) == ("migrated", "registrar", "warning")
    (tmp_path / MIGRATED_FILE).write_text('["nightly"]')
    os.utime(tmp_path / MIGRATED_FILE, ns=(1, 1))
    with capture_logs() as logged:
        journal.record(CALL)
    assert logged == []
    assert reported == ["registrar"]
    assert losses.calls == 0
