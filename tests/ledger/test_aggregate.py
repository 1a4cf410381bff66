from datetime import UTC, date, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from shim.ledger.aggregate import MAX_UNNAMED, OTHER_UNNAMED, Aggregate, CallKey
from tests.ledger.lines import NOON, line

_LINES = st.builds(
    line,
    caller=st.sampled_from(["registrar", "nightly"]),
    operation=st.sampled_from(["GetScores", "getScorelinkData"]),
    outcome=st.sampled_from(["ok", "upstream-failed"]),
    at=st.floats(NOON, NOON + 3 * 86400),
    seconds=st.floats(0, 100),
    upstream=st.floats(0, 100),
    records=st.integers(0, 10_000),
    start=st.dates().map(lambda day: f"{day}T00:00:00"),
)


def _aggregate(lines: list[bytes], migrated: dict[str, datetime] | None = None) -> Aggregate:
    aggregate = Aggregate(migrated=migrated or {})
    aggregate.add(lines)
    return aggregate


@given(lines=st.lists(_LINES), random=st.randoms(use_true_random=False), marked=st.floats(NOON, NOON + 86400))
def test_the_order_of_calls_does_not_matter(lines: list[bytes], random: Random, marked: float) -> None:
    migrated = {"nightly": datetime.fromtimestamp(marked, UTC)}
    shuffled = list(lines)
    random.shuffle(shuffled)
    one, other = _aggregate(lines, migrated), _aggregate(shuffled, migrated)
    assert (one.calls, one.callers, one.queries) == (other.calls, other.callers, other.queries)
    assert sum(totals.calls for totals in one.calls.values()) == len(lines)


def test_calls_are_added_up_by_day() -> None:
    aggregate = _aggregate(
        [
            line(at=NOON, seconds=0.5, upstream=0.25, start="2025-02-01T00:00:00", end="2025-02-02T00:00:00"),
            line(at=NOON + 1, seconds=1.5, start="2025-01-01T00:00:00", end="2025-01-02T00:00:00"),
            line(at=NOON + 86400),
        ]
    )
    key = CallKey(date(2026, 11, 24), "registrar", "GetScores", "ok", "PHP-SOAP 8.2", "1.1")
    totals = aggregate.calls[key]
    assert (totals.calls, totals.records, totals.bytes) == (2, 6, 9612)
    assert (totals.total_us, totals.upstream_us) == (2_000_000, 650_000)
    assert (totals.startdate, totals.enddate) == ("2025-01-01T00:00:00", "2025-02-02T00:00:00")
    assert totals.last_seen - totals.first_seen == timedelta(seconds=1)
    assert aggregate.calls[key._replace(day=date(2026, 11, 25))].calls == 1
    assert aggregate.callers["registrar"].last_seen == datetime.fromtimestamp(NOON + 86400, UTC)


def test_a_caller_that_left_got_no_scores() -> None:
    (totals,) = _aggregate([line(outcome="caller-left")]).calls.values()
    assert (totals.calls, totals.records, totals.bytes) == (1, 0, 0)


def test_the_last_query_of_each_operation_is_kept() -> None:
    later = line(at=NOON + 1, type="TOEFL", reportby="by", start="2025-02-01T00:00:00", end="2025-02-02T00:00:00")
    aggregate = _aggregate([later, line(type="TOEFL", reportby="by"), line(at=NOON + 2)])
    assert aggregate.queries["registrar", "GetScores"].startdate == "2025-02-01T00:00:00"


def test_calls_after_the_migration_are_aggregate() -> None:
    migrated = datetime.fromtimestamp(NOON + 1, UTC)
    aggregate = _aggregate([line(at=NOON + second) for second in range(5)], {"registrar": migrated})
    assert aggregate.callers["registrar"].since_migrated == 3


def test_a_line_that_is_not_a_call_is_skipped_and_aggregate() -> None:
    aggregate = _aggregate([line()[:40], b"", b"\xff", b"[]", line()])
    assert (aggregate.unreadable, sum(totals.calls for totals in aggregate.calls.values())) == (4, 1)


def test_unnamed_callers_beyond_the_limit_are_counted_as_one() -> None:
    aggregate = _aggregate([line(caller=f"unknown-{number}", named=False) for number in range(MAX_UNNAMED + 3)] * 2)
    assert len(aggregate.callers) == MAX_UNNAMED + 1
    others = [(key.software, totals.calls) for key, totals in aggregate.calls.items() if key.caller == OTHER_UNNAMED]
    assert others == [("other", 6)]
