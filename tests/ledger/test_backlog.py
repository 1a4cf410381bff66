import json
from pathlib import Path

import pytest

from shim.ledger.backlog import BacklogCollector
from shim.ledger.journal import JOURNAL_SUFFIX, STATUS_FILE
from tests.ledger.lines import line


def scraped(folder: Path) -> tuple[float, float]:
    backlog, failures = (family.samples[0].value for family in BacklogCollector(folder).collect())
    return backlog, failures


def test_a_folder_without_files_has_no_backlog(tmp_path: Path) -> None:
    assert scraped(tmp_path) == scraped(tmp_path / "none") == (0, 0)


def test_the_backlog_is_the_journal_without_the_bytes_that_were_read(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}{JOURNAL_SUFFIX}").write_bytes(line())
    size = 2 * len(line())
    assert scraped(tmp_path) == (size, 0)
    (tmp_path / STATUS_FILE).write_text(json.dumps({"read": size - 5, "failures": 7}))
    assert scraped(tmp_path) == (5, 7)


def test_a_journal_that_was_deleted_after_the_status_gives_no_negative_backlog(tmp_path: Path) -> None:
    (tmp_path / STATUS_FILE).write_text(json.dumps({"read": 500, "failures": 0}))
    assert scraped(tmp_path) == (0, 0)


@pytest.mark.parametrize("status", ["", "{", '{"read": 5}'])
def test_an_unreadable_status_counts_as_nothing_read(tmp_path: Path, status: str) -> None:
    (tmp_path / f"a{JOURNAL_SUFFIX}").write_bytes(line())
    (tmp_path / STATUS_FILE).write_text(status)
    backlog, failures = scraped(tmp_path)
    assert failures == 0
    assert backlog > 0
