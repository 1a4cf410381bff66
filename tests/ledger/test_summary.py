from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shim.ledger import summary
from shim.ledger.summary import HISTORY_DAYS, CallerSummary, LastQuery, Summary

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def caller(
    *, daily: tuple[int, ...] = (), migrated: datetime | None = None, since: int = 0, ago: int = 0
) -> CallerSummary:
    return CallerSummary(
        name="registrar",
        is_named=True,
        first_seen=NOW - timedelta(days=50),
        last_seen=NOW - timedelta(days=ago),
        daily=(0,) * (HISTORY_DAYS - len(daily)) + daily,
        operations=("GetScores",),
        software=("PHP-SOAP 8.2",),
        outcomes={"ok": 5},
        migrated=migrated,
        calls_since_migrated=since,
        last_queries=(
            LastQuery(
                operation="GetScores",
                startdate="2025-04-21T16:45:03",
                enddate="2025-04-22T16:52:13",
                type="TOEFL",
                reportby="scorelinkbyreportdate",
            ),
        ),
    )


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = Summary(made=NOW, callers=(caller(daily=(1, 2), migrated=NOW), caller()))
    (tmp_path / "summary.json").write_bytes(summary.to_json(written))
    assert summary.read(tmp_path / "summary.json") == written


@pytest.mark.parametrize("text", [None, "", "{", '{"made": 1}'])
def test_no_summary_yet(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "summary.json"
    if text is not None:
        path.write_text(text)
    assert summary.read(path) is None


@pytest.mark.parametrize(
    ("before", "now", "trend"),
    [(7, 7, "steady"), (7, 14, "rising"), (14, 7, "falling"), (5, 0, "silent"), (0, 1, "rising"), (0, 0, "silent")],
)
def test_trends(before: int, now: int, trend: str) -> None:
    daily = (before, *[0] * 6, now, *[0] * 6)
    assert caller(daily=daily).trend == trend


@pytest.mark.parametrize(
    ("migrated", "since", "ago", "safe"),
    [
        (None, 0, 0, None),
        (None, 0, 30, NOW - timedelta(days=30)),
        (NOW - timedelta(days=2), 0, 3, NOW - timedelta(days=2)),
        (NOW - timedelta(days=2), 1, 0, None),
        (NOW - timedelta(days=40), 1, 31, NOW - timedelta(days=31)),
    ],
)
def test_since_when_a_caller_no_longer_needs_the_gateway(
    migrated: datetime | None, since: int, ago: int, safe: datetime | None
) -> None:
    one = caller(migrated=migrated, since=since, ago=ago)
    assert one.safe_since(NOW) == safe
    assert (Summary(made=NOW, callers=(one,)).remaining_callers == ()) == (safe is not None)


def test_an_unnamed_caller_does_not_need_the_gateway() -> None:
    unnamed = replace(caller(), is_named=False)
    made = Summary(made=NOW, callers=(caller(), unnamed))
    assert made.named_callers == made.remaining_callers == (caller(),)
