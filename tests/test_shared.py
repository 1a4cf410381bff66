import threading
import time
from pathlib import Path

import pytest

from shim.shared import SharedFolder


@pytest.fixture
def shared(tmp_path: Path) -> SharedFolder:
    return SharedFolder(tmp_path / "shared")


def test_a_name_is_claimed_once(shared: SharedFolder, tmp_path: Path) -> None:
    assert shared.claim("a")
    assert not shared.claim("a")
    assert not SharedFolder(tmp_path / "shared").claim("a")
    assert shared.claim("b")


def test_one_of_many_claims_at_a_time_succeeds(shared: SharedFolder) -> None:
    start, claimed = threading.Barrier(8), list[bool]()

    def claim() -> None:
        start.wait()
        claimed.append(shared.claim("a"))

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == [*[False] * 7, True]


def test_a_name_has_the_time_of_its_last_stamp(shared: SharedFolder) -> None:
    assert shared.time_of("a") is None
    for nanoseconds in (2_000_000_000_123_456_000, 1_000_000_000_000_000_000):
        shared.stamp("a", nanoseconds)
        assert shared.time_of("a") == nanoseconds


def test_a_full_disk_fails_no_stamp(shared: SharedFolder, tmp_path: Path) -> None:
    (tmp_path / "shared").rmdir()
    shared.stamp("a", 1)
    assert shared.time_of("a") is None


def test_names_are_discarded_by_prefix_but_one(shared: SharedFolder) -> None:
    for name in ("a-1", "a-2", "b-1"):
        shared.claim(name)
    shared.discard("a-", keep="a-2")
    assert [shared.time_of(name) is not None for name in ("a-1", "a-2", "b-1")] == [False, True, True]
    shared.discard()
    assert [shared.time_of(name) for name in ("a-2", "b-1")] == [None, None]


def test_old_names_alone_are_discarded(shared: SharedFolder) -> None:
    now = time.time_ns()
    shared.stamp("old", now - 20_000_000_000)
    shared.stamp("new", now)
    shared.discard(older_than=10)
    assert (shared.time_of("old"), shared.time_of("new")) == (None, now)
