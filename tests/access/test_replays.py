import os
import threading
import time
from pathlib import Path

import pytest

from shim.access.replays import WINDOW, Replays

CREATED = "2025-04-21T16:45:03Z"


def test_a_nonce_counts_once(tmp_path: Path) -> None:
    replays = Replays(tmp_path)
    assert [replays.is_new("registrar", b"nonce", CREATED) for _ in range(3)] == [True, False, False]


@pytest.mark.parametrize(
    ("user", "nonce", "created"),
    [
        ("other", b"nonce", CREATED),
        ("registrar", b"other", CREATED),
        ("registrar", b"nonce", "2025-04-21T16:45:04Z"),
        ("registra", b"rnonce", CREATED),
        ("registrar", b"nonce\0", CREATED),
    ],
)
def test_another_use_is_another(tmp_path: Path, user: str, nonce: bytes, created: str) -> None:
    replays = Replays(tmp_path)
    assert replays.is_new("registrar", b"nonce", CREATED)
    assert replays.is_new(user, nonce, created)


def test_another_worker_knows_of_it(tmp_path: Path) -> None:
    assert Replays(tmp_path).is_new("registrar", b"nonce", CREATED)
    assert not Replays(tmp_path).is_new("registrar", b"nonce", CREATED)


def test_of_many_at_a_time_one_is_first(tmp_path: Path) -> None:
    replays, start, found = Replays(tmp_path), threading.Barrier(16), list[bool]()

    def ask() -> None:
        start.wait()
        found.append(replays.is_new("registrar", b"nonce", CREATED))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [False] * 15 + [True]


def test_what_is_kept_says_nothing_and_is_for_this_user_alone(tmp_path: Path) -> None:
    Replays(tmp_path).is_new("registrar", b"nonce", CREATED)
    (kept,) = tmp_path.iterdir()
    assert (len(kept.name), kept.stat().st_size, kept.stat().st_mode & 0o777) == (64, 0, 0o600)


class TestSweep:
    @pytest.fixture
    def later(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: real + WINDOW.total_seconds() + 1)

    @pytest.mark.parametrize(("age", "kept"), [(0, True), (9.9 * 60, True), (10.1 * 60, False)])
    def test_it_is_forgotten_when_no_digest_of_it_could_count(
        self, tmp_path: Path, request: pytest.FixtureRequest, age: float, kept: bool
    ) -> None:
        replays = Replays(tmp_path)
        replays.is_new("registrar", b"nonce", CREATED)
        (path,) = tmp_path.iterdir()
        then = time.time() - age
        os.utime(path, (then, then))
        request.getfixturevalue("later")
        replays.is_new("registrar", b"another", CREATED)
        assert path.exists() is kept

    def test_another_worker_may_sweep_at_the_same_time(self, tmp_path: Path, request: pytest.FixtureRequest) -> None:
        replays = Replays(tmp_path)
        # It is there when the folder is listed, and gone when it is looked at.
        (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
        request.getfixturevalue("later")
        assert replays.is_new("registrar", b"nonce", CREATED)
