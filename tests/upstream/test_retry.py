import io
from pathlib import Path
from typing import TYPE_CHECKING

import gevent
import pytest

from shim import errors
from shim.errors import Cause, GatewayError
from shim.query import ScoreFile, ScoreQuery
from shim.upstream.breaker import Breaker
from shim.upstream.retry import RetryingClient, RetryPolicy
from tests.upstream.test_client import QUERY

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = ScoreFile(io.BytesIO(), 0, 0)
CURABLE: set[Cause] = {
    errors.UPSTREAM_BUSY,
    errors.UPSTREAM_CUT,
    errors.UPSTREAM_FAILED,
    errors.UPSTREAM_TIMEOUT,
    errors.UPSTREAM_UNREACHABLE,
}


class Upstream:
    """Gives one outcome after the other."""

    def __init__(self, *outcomes: GatewayError | ScoreFile) -> None:
        self.asked = 0
        self.traces: list[str] = []
        self._outcomes: Iterator[GatewayError | ScoreFile] = iter(outcomes)

    def fetch(self, query: ScoreQuery, authcode: str, trace: str = "") -> ScoreFile:
        self.asked += 1
        self.traces.append(trace)
        outcome = next(self._outcomes)
        if isinstance(outcome, GatewayError):
            raise outcome
        return outcome


class Silent(Upstream):
    def fetch(self, query: ScoreQuery, authcode: str, trace: str = "") -> ScoreFile:
        self.asked += 1
        gevent.sleep(60)
        raise AssertionError


class Time:
    """A clock that only sleeping moves.

    Attributes:
        slept: The seconds of each sleep.
    """

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def attempts(
    upstream: Upstream, folder: Path, *, deadline: float = 10, most: int = 3, time: Time | None = None
) -> RetryingClient:
    breaker, time = Breaker(folder, failures=2, seconds=60, longest_call=60), time or Time()
    policy = RetryPolicy(deadline, most)
    return RetryingClient(upstream, breaker, policy, deadline=gevent.Timeout, sleep=time.sleep, clock=time.now)


def failed(made: RetryingClient) -> GatewayError:
    with made.within_deadline():
        return failed_within(made)


def failed_within(made: RetryingClient) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        made.fetch(QUERY, "synthetic")
    return caught.value


@pytest.mark.parametrize("slug", sorted(cause.slug for cause in CURABLE))
def test_what_may_be_cured_is_tried_again(slug: str, tmp_path: Path) -> None:
    cause = errors.CAUSES[slug]
    upstream = Upstream(cause.error(), cause.error(), FILE)
    assert attempts(upstream, tmp_path).fetch(QUERY, "synthetic", "a trace") is FILE
    assert (upstream.asked, upstream.traces) == (3, ["a trace"] * 3)


@pytest.mark.parametrize(
    "cause",
    [cause for cause in errors.CAUSES.values() if cause.slug.startswith("upstream-") and cause not in CURABLE],
    ids=lambda cause: cause.slug,
)
def test_what_cannot_be_is_not(cause: Cause, tmp_path: Path) -> None:
    upstream = Upstream(cause.error())
    assert failed(attempts(upstream, tmp_path)).cause is cause
    assert upstream.asked == 1


def test_the_last_error_is_told(tmp_path: Path) -> None:
    upstream = Upstream(errors.UPSTREAM_CUT.error(), errors.UPSTREAM_FAILED.error(note="HTTP 503"))
    error = failed(attempts(upstream, tmp_path, most=2))
    assert (error.cause, error.note) == (errors.UPSTREAM_FAILED, "HTTP 503")


def test_the_upstream_says_how_long_to_wait(tmp_path: Path) -> None:
    upstream, time = Upstream(errors.UPSTREAM_BUSY.error(retry_after=3), FILE), Time()
    attempts(upstream, tmp_path, time=time).fetch(QUERY, "synthetic")
    assert time.slept == [3]


def test_each_delay_is_twice_as_long_up_to_five_seconds(tmp_path: Path) -> None:
    upstream, time = Upstream(*(errors.UPSTREAM_BUSY.error() for _ in range(8))), Time()
    failed(attempts(upstream, tmp_path, deadline=60, most=8, time=time))
    least = [0.2, 0.4, 0.8, 1.6, 3.2, 5, 5]
    assert all(one <= slept <= one + 0.2 for one, slept in zip(least, time.slept, strict=True))


def test_longer_than_the_deadline_is_not_waited(tmp_path: Path) -> None:
    upstream = Upstream(errors.UPSTREAM_BUSY.error(retry_after=120))
    error = failed(attempts(upstream, tmp_path))
    assert (error.cause, error.retry_after, upstream.asked) == (errors.UPSTREAM_BUSY, 120, 1)


def test_the_deadline_ends_all_of_it(tmp_path: Path) -> None:
    upstream = Silent()
    error = failed(attempts(upstream, tmp_path, deadline=0.2))
    assert (error.cause, error.note, upstream.asked) == (errors.UPSTREAM_TIMEOUT, "upstream.deadline", 1)


def test_the_deadline_is_one_for_all_authcodes(tmp_path: Path) -> None:
    upstream = Upstream(errors.UPSTREAM_AUTHCODE.error())
    made, silent = attempts(upstream, tmp_path, deadline=0.2), attempts(Silent(), tmp_path, deadline=60)
    with made.within_deadline():
        refused = failed_within(made)
        error = failed_within(silent)
    assert (refused.cause, error.cause, error.note) == (
        errors.UPSTREAM_AUTHCODE,
        errors.UPSTREAM_TIMEOUT,
        "upstream.deadline",
    )


def test_calls_without_an_answer_open_the_breaker(tmp_path: Path) -> None:
    upstream = Upstream(*(errors.UPSTREAM_CUT.error() for _ in range(6)))
    made = attempts(upstream, tmp_path)
    failed(made)
    failed(made)
    assert failed(made).cause is errors.UPSTREAM_DOWN
    assert upstream.asked == 6


@pytest.mark.parametrize("cause", [errors.UPSTREAM_QUERY, errors.UPSTREAM_AUTHCODE, errors.UPSTREAM_NOT_SCORES])
def test_an_answer_of_any_kind_does_not(cause: Cause, tmp_path: Path) -> None:
    upstream = Upstream(*(cause.error() for _ in range(5)))
    made = attempts(upstream, tmp_path)
    assert {failed(made).cause for _ in range(5)} == {cause}
