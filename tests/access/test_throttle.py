import sys
import threading
import time

import pytest

from shim.access import throttle
from shim.access.throttle import FORGOTTEN_AFTER, REFUSE_AFTER, SLOW_AFTER, Throttle

ADDRESS = "192.0.2.1"


class Clock:
    """The time of a test, which passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def fail(limits: Throttle, times: int, address: str = ADDRESS) -> None:
    for _ in range(times):
        limits.penalize(address)


def test_the_first_failures_are_answered_at_once_and_the_next_ever_more_slowly(clock: Clock) -> None:
    limits = Throttle(clock.sleep, clock.monotonic)
    fail(limits, SLOW_AFTER)
    assert clock.slept == []
    fail(limits, 6)
    assert clock.slept == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


def test_no_number_of_failures_is_too_large(clock: Clock) -> None:
    limits = Throttle(clock.sleep, clock.monotonic)
    fail(limits, 2000)
    assert max(clock.slept) == 1.0


def test_after_too_many_the_source_is_refused_and_no_other(clock: Clock) -> None:
    limits = Throttle(clock.sleep, clock.monotonic)
    fail(limits, REFUSE_AFTER - 1)
    assert not limits.refuses(ADDRESS)
    fail(limits, 1)
    assert limits.refuses(ADDRESS)
    assert not limits.refuses("192.0.2.2")


@pytest.mark.parametrize(("seconds", "refused"), [(FORGOTTEN_AFTER - 1, True), (FORGOTTEN_AFTER + 1, False)])
def test_all_is_forgotten_some_minutes_after_the_last(clock: Clock, seconds: float, refused: bool) -> None:
    limits = Throttle(clock.sleep, clock.monotonic)
    fail(limits, REFUSE_AFTER)
    clock.now += seconds
    assert limits.refuses(ADDRESS) is refused
    if not refused:
        clock.slept.clear()
        fail(limits, SLOW_AFTER)
        assert clock.slept == []


def test_of_very_many_sources_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    monkeypatch.setattr(throttle, "_MOST_SOURCES", 100)
    limits = Throttle(clock.sleep, clock.monotonic)
    fail(limits, REFUSE_AFTER)
    for number in range(99):
        limits.penalize(str(number))
    assert limits.refuses(ADDRESS)
    limits.penalize(ADDRESS)  # it is now the newest
    for number in range(99):
        limits.penalize(f"other {number}")
    assert limits.refuses(ADDRESS)
    limits.penalize("one more")
    assert not limits.refuses(ADDRESS)
    assert sys.getsizeof(limits._sources) < 64 * 1024  # noqa: SLF001 - what must not grow


def test_those_who_guess_cannot_hold_all_threads(clock: Clock) -> None:
    held, release = threading.Semaphore(0), threading.Event()

    def hold(_: float) -> None:
        held.release()
        assert release.wait(10)

    limits = Throttle(hold, clock.monotonic)
    fail(limits, SLOW_AFTER)
    waiting = [threading.Thread(target=limits.penalize, args=(ADDRESS,)) for _ in range(4)]
    for thread in waiting:
        thread.start()
    for _ in waiting:
        assert held.acquire(timeout=10)
    began = time.monotonic()
    limits.penalize(ADDRESS)  # no place is left to wait in, so it is answered at once
    assert time.monotonic() - began < 5
    release.set()
    for thread in waiting:
        thread.join()
