import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shim.errors import UpstreamError
from shim.upstream.breaker import Breaker


def breaker(folder: Path, *, failures: int = 3, seconds: float = 0.2, longest_call: float = 60) -> Breaker:
    return Breaker(folder, failures=failures, seconds=seconds, longest_call=longest_call)


def opened(folder: Path, seconds: float = 0.2) -> Breaker:
    made = breaker(folder, failures=1, seconds=seconds)
    made.failed(trial=False)
    return made


def refused(made: Breaker) -> float:
    with pytest.raises(UpstreamError, match="upstream-down") as caught:
        made.admit()
    return caught.value.retry_after


def test_it_opens_after_failures_in_a_row(tmp_path: Path) -> None:
    made = breaker(tmp_path)
    for fails in (True, True, False, True, True):
        assert not made.admit()
        if fails:
            made.failed(trial=False)
        else:
            made.answered(trial=False)
    assert not made.is_open
    made.failed(trial=False)
    assert made.is_open
    refused(made)


def test_who_is_refused_is_told_when_to_come_again(tmp_path: Path) -> None:
    assert 25 < refused(opened(tmp_path, 30)) <= 30


def test_other_workers_see_it(tmp_path: Path) -> None:
    opened(tmp_path, 30)
    other = breaker(tmp_path)
    assert other.is_open
    refused(other)


@pytest.mark.parametrize("answers", [True, False])
def test_one_call_tries_and_its_outcome_counts(tmp_path: Path, *, answers: bool) -> None:
    made, other = opened(tmp_path), breaker(tmp_path)
    time.sleep(0.25)
    assert other.admit()
    refused(made)
    if answers:
        other.answered(trial=True)
        assert not made.is_open
        assert not made.admit()
        assert not list(tmp_path.iterdir())
    else:
        other.failed(trial=True)
        refused(made)
        time.sleep(0.25)
        assert made.admit()


def test_of_many_at_once_one_tries(tmp_path: Path) -> None:
    opened(tmp_path)
    time.sleep(0.25)
    workers = [breaker(tmp_path) for _ in range(16)]

    def tries(worker: Breaker) -> bool:
        try:
            return worker.admit()
        except UpstreamError:
            return False

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(tries, workers)) == 1


def test_a_try_that_never_ends_is_followed_by_another(tmp_path: Path) -> None:
    made = breaker(tmp_path, failures=1, seconds=0.05, longest_call=0.2)
    made.failed(trial=False)
    time.sleep(0.1)
    assert made.admit()
    refused(made)
    time.sleep(0.25)
    assert made.admit()
    assert len(list(tmp_path.glob("trial-*"))) == 1
