from datetime import timedelta

from shim.ledger.burndown import burndown
from tests.ledger.summaries import MADE, caller, summary

GONE = caller("gone", [1] * 20 + [0] * 40)
MARKED = caller("marked", [1] * 20 + [0] * 3, migrated=MADE - timedelta(days=2))
RETURNED = caller("returned", [1] * 20, migrated=MADE - timedelta(days=2), calls_since_migrated=2)


def test_the_last_day_agrees_with_the_summary() -> None:
    for callers in ([], [caller()], [GONE], [MARKED, RETURNED], [GONE, caller(), MARKED]):
        made = summary(*callers)
        last = burndown(made)[-1]
        assert last.day == MADE.date()
        assert last.remaining == len(made.remaining_callers)
        assert last.active == sum(bool(each.daily[-1]) for each in callers)


def test_a_caller_remains_from_its_first_call_to_its_last() -> None:
    days = burndown(summary(GONE, caller(last_days=[1, *[0] * 9])))
    assert [days[at].remaining for at in (0, 19, 20, 49, 50, 59)] == [1, 1, 0, 0, 1, 1]


def test_it_begins_with_the_first_call() -> None:
    days = burndown(summary(GONE))
    assert len(days) == 60
    assert days[0].day == GONE.first_seen.date()


def test_the_day_of_the_migration_counts_unless_it_is_today() -> None:
    assert [day.remaining for day in burndown(summary(MARKED))[-3:]] == [1, 0, 0]
    today = caller("today", [1, 1], migrated=MADE)
    assert [day.remaining for day in burndown(summary(today))] == [1, 0]


def test_unnamed_callers_are_left_out() -> None:
    (day,) = burndown(summary(caller("unknown-1", is_named=False)))
    assert (day.remaining, day.active) == (0, 0)


def test_a_day_has_the_unix_time_of_its_start_in_utc() -> None:
    assert burndown(summary(caller()))[-1].timestamp == int(MADE.timestamp()) - 12 * 3600
