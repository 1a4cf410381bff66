from datetime import UTC, date, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from shim.ledger.aggregate import MOST_UNNAMED, STRANGERS, Aggregate, Key
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


def _counted(lines: list[bytes], marks: dict[str, datetime] | None = None) -> Aggregate:
    tally = Aggregate(marks=marks or {})
    tally.add(lines)
    return tally


@given(lines=st.lists(_LINES), random=st.randoms(use_true_random=False), marked=st.floats(NOON, NOON + 86400))
def test_the_order_of_calls_does_not_matter(lines: list[bytes], random: Random, marked: float) -> None:
    marks = {"nightly": datetime.fromtimestamp(marked, UTC)}
    shuffled = list(lines)
    random.shuffle(shuffled)
    one, other = _counted(lines, marks), _counted(shuffled, marks)
    assert (one.counts, one.callers, one.queries) == (other.counts, other.callers, other.queries)
    assert sum(count.calls for count in one.counts.values()) == len(lines)


def test_calls_are_counted_together_by_day() -> None:
    tally = _counted(
        [
            line(at=NOON, seconds=0.5, upstream=0.25, start="2025-02-01T00:00:00", end="2025-02-02T00:00:00"),
            line(at=NOON + 1, seconds=1.5, start="2025-01-01T00:00:00", end="2025-01-02T00:00:00"),
            line(at=NOON + 86400),
        ]
    )
    key = Key(date(2026, 11, 24), "registrar", "GetScores", "ok", "PHP-SOAP 8.2", "1.1")
    count = tally.counts[key]
    assert (count.calls, count.records, count.bytes) == (2, 6, 9612)
    assert (count.total_us, count.upstream_us) == (2_000_000, 650_000)
    assert (count.startdate, count.enddate) == ("2025-01-01T00:00:00", "2025-02-02T00:00:00")
    assert count.last_seen - count.first_seen == timedelta(seconds=1)
    assert tally.counts[key._replace(day=date(2026, 11, 25))].calls == 1
    assert tally.callers["registrar"].last_seen == datetime.fromtimestamp(NOON + 86400, UTC)


def test_only_scores_count_as_such() -> None:
    (count,) = _counted([line(outcome="caller-left")]).counts.values()
    assert (count.calls, count.records, count.bytes) == (1, 0, 0)


def test_the_last_query_is_kept_of_each_operation() -> None:
    later = line(at=NOON + 1, type="TOEFL", reportby="by", start="2025-02-01T00:00:00", end="2025-02-02T00:00:00")
    tally = _counted([later, line(type="TOEFL", reportby="by"), line(at=NOON + 2)])
    assert tally.queries["registrar", "GetScores"].startdate == "2025-02-01T00:00:00"


def test_calls_after_the_mark_are_counted() -> None:
    mark = datetime.fromtimestamp(NOON + 1, UTC)
    tally = _counted([line(at=NOON + second) for second in range(5)], {"registrar": mark})
    assert tally.callers["registrar"].since_migrated == 3


def test_lines_that_were_cut_are_no_calls() -> None:
    tally = _counted([line()[:40], b"", b"\xff", b"[]", line()])
    assert (tally.unread, sum(count.calls for count in tally.counts.values())) == (4, 1)


def test_callers_without_a_name_are_so_many_and_no_more() -> None:
    tally = _counted([line(caller=f"unknown-{number}", named=False) for number in range(MOST_UNNAMED + 3)] * 2)
    assert len(tally.callers) == MOST_UNNAMED + 1
    assert [(key.software, count.calls) for key, count in tally.counts.items() if key.caller == STRANGERS] == [
        ("other", 6)
    ]
