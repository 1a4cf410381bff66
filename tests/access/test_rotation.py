"""A key of TOEFL Access is changed while clients call without pause: no call fails."""

import base64
import itertools
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from shim.sandbox import Sandbox
from shim.upstream.authcode import Authcode
from tests.access.processes import arguments
from tests.gateway import Gateway, running_gateway
from tests.soap_http import Answer, envelope, post

_CLIENTS: Final = 8
_WORKERS: Final = 2
# Seconds for some dozens of calls, after which they are given up.
_PATIENCE: Final = 60.0
SECRETS: Final = ("synthetic-old", "synthetic-new", "synthetic-third")
OLD, NEW, THIRD = (Authcode.of("synthetic-id", secret).value for secret in SECRETS)
# Well-formed, and no authcode: the writer was stopped at the end of a group of four characters.
HALF: Final = NEW[:-4]


class Calling:
    """Clients that call without pause."""

    def __init__(self, url: str) -> None:
        self.outcomes: Counter[str] = Counter()
        self._of_each: Counter[int] = Counter()
        self._url = url
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def __call__(self) -> None:
        while not self._stopped.is_set():
            outcome = _outcome(post(self._url, envelope()))
            with self._lock:
                self.outcomes[outcome] += 1
                self._of_each[threading.get_ident()] += 1

    def stop(self) -> None:
        self._stopped.set()

    @property
    def calls(self) -> int:
        with self._lock:
            return self.outcomes.total()

    def wait_for(self, more: int = 6 * _CLIENTS) -> None:
        """Wait until so many more calls were answered, and each client has begun one since, and ended it."""
        before, enough, until = self._of_each.copy(), self.calls + more, time.monotonic() + _PATIENCE
        while not self._ended_two_since(before) or self.calls < enough:
            assert time.monotonic() < until, "the gateway does not answer"
            time.sleep(0.002)

    def _ended_two_since(self, before: Counter[int]) -> bool:
        with self._lock:
            since = self._of_each - before
        return len(since) == _CLIENTS and min(since.values()) > 1


def _outcome(answer: Answer) -> str:
    if answer.fault:
        return answer.slug
    return "scores" if answer.result else "nothing"


@contextmanager
def calling(url: str) -> Iterator[Calling]:
    clients = Calling(url)
    threads = [threading.Thread(target=clients) for _ in range(_CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield clients
    finally:
        clients.stop()
        for thread in threads:
            thread.join()


@dataclass(frozen=True)
class Rotation:
    """A gateway with its key in a file, before a sandbox whose keys change."""

    folder: Path
    gateway: Gateway
    sandbox: Sandbox

    @property
    def main(self) -> Path:
        return self.folder / "main"

    @property
    def following(self) -> Path:
        return self.folder / "next"

    def takes(self, *authcodes: str) -> None:
        """Change the keys that the sandbox takes."""
        self.sandbox.authcodes = set(authcodes)

    def replace(self, value: str) -> None:
        """Replace the key in one step, as ``mv`` does."""
        write(self.folder / "new", value)
        os.replace(self.folder / "new", self.main)  # noqa: PTH105 - in one step

    def notes(self, level: str) -> list[str]:
        """What the log says of authcodes."""
        lines = map(json.loads, self.gateway.log.read_text(encoding="utf-8").splitlines())
        return [line["note"] for line in lines if (line["event"], line["level"]) == ("authcode", level)]


def write(path: Path, value: str, mode: int = 0o600) -> None:
    path.write_text(value, encoding="utf-8")
    path.chmod(mode)


Start = Callable[..., Any]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    @contextmanager
    def started(*, following: bool = False, main: str = "main") -> Iterator[Rotation]:
        source = {"name": "main", "file": str(tmp_path / main)}
        if main == "main":
            write(tmp_path / "main", OLD)
        if following:
            write(tmp_path / "next", NEW)
            source["next_file"] = str(tmp_path / "next")
        settings = {"authcodes": [source], "gateway": {"workers": _WORKERS}}
        planted = (*SECRETS, NEW, THIRD, HALF, *(base64.b64encode(secret.encode()).decode() for secret in SECRETS))
        with Sandbox() as sandbox:
            sandbox.authcodes = {OLD}
            folder = tmp_path / "gateway"
            with running_gateway(sandbox.url, folder, settings, authcode=OLD, planted=planted) as gateway:
                yield Rotation(tmp_path, gateway, sandbox)
                assert not [secret for secret in (OLD, *planted) if secret in arguments(gateway)]

    return started


def no_call_failed(clients: Calling, at_least: int) -> None:
    assert set(clients.outcomes) == {"scores"}, clients.outcomes
    assert clients.calls >= at_least


def test_the_next_key_takes_over_and_is_made_the_first(start: Start) -> None:
    with start(following=True) as rotation, calling(rotation.gateway.url) as clients:
        clients.wait_for()
        rotation.takes(NEW)  # without a moment in which both are taken
        clients.wait_for()
        for spoilt in ("", "\n", NEW[:-1], HALF):
            write(rotation.main, spoilt)
            clients.wait_for()
        rotation.main.chmod(0o644)
        clients.wait_for()
        rotation.replace(NEW)
        clients.wait_for()
        rotation.following.unlink()
        clients.wait_for()
        rotation.takes(NEW, THIRD)
        rotation.replace(THIRD)
        clients.wait_for()
        rotation.takes(THIRD)
        clients.wait_for()
    no_call_failed(clients, 400)
    moved = [note for note in rotation.notes("warning") if "the next one is in use" in note]
    # Each worker says it of the old key, and of the half that followed it.
    assert 1 <= len(moved) <= 2 * _WORKERS
    assert rotation.notes("error") == []


def test_the_warning_is_one_of_each_worker_and_not_of_each_call(start: Start) -> None:
    with start(following=True) as rotation, calling(rotation.gateway.url) as clients:
        rotation.takes(NEW)
        clients.wait_for(30 * _CLIENTS)
    no_call_failed(clients, 200)
    assert 1 <= len(rotation.notes("warning")) <= _WORKERS
    # Each worker must see it once, with as many calls as are under way then: afterwards the old key is not tried again.
    refused = [request for request in rotation.sandbox.requests if request.status == 401]
    assert len(refused) <= _CLIENTS * _WORKERS


def test_a_file_is_replaced_and_the_old_key_is_refused_at_once(start: Start) -> None:
    with start() as rotation, calling(rotation.gateway.url) as clients:
        keys = [OLD, NEW, THIRD] * 4
        for old, new in itertools.pairwise(keys):
            clients.wait_for(2 * _CLIENTS)
            rotation.takes(old, new)
            rotation.replace(new)
            rotation.takes(new)
        clients.wait_for()
    no_call_failed(clients, 200)
    assert rotation.notes("warning") == []
    assert rotation.notes("error") == []


def test_a_secret_of_kubernetes_is_swapped(start: Start, tmp_path: Path) -> None:
    for day, key in (("..day-1", OLD), ("..day-2", NEW)):
        (tmp_path / day).mkdir()
        write(tmp_path / day / "authcode", key, 0o440)
    (tmp_path / "..data").symlink_to("..day-1")
    (tmp_path / "authcode").symlink_to("..data/authcode")
    with start(main="authcode") as rotation, calling(rotation.gateway.url) as clients:
        clients.wait_for()
        rotation.takes(OLD, NEW)
        (tmp_path / "..data_tmp").symlink_to("..day-2")
        (tmp_path / "..data_tmp").rename(tmp_path / "..data")
        clients.wait_for()
        (tmp_path / "..day-1" / "authcode").unlink()
        rotation.takes(NEW)
        clients.wait_for()
    no_call_failed(clients, 100)
    assert rotation.notes("warning") == []


def test_a_file_that_is_spoilt_changes_nothing(start: Start) -> None:
    with start() as rotation, calling(rotation.gateway.url) as clients:
        clients.wait_for()
        for spoilt in ("", NEW[:-1], "not base64!", HALF):
            write(rotation.main, spoilt)
            clients.wait_for()
        rotation.main.unlink()
        clients.wait_for()
        write(rotation.main, NEW, 0o644)
        clients.wait_for()
        rotation.takes(OLD, NEW)
        rotation.replace(NEW)
        clients.wait_for()
        rotation.takes(NEW)
        clients.wait_for()
    no_call_failed(clients, 300)
    warnings = rotation.notes("warning")
    # Each of the six states once in each worker at most; and writing takes a moment, in which the file is empty.
    assert 1 <= len(warnings) <= 12 * _WORKERS
    assert rotation.notes("error") == []


def test_a_key_that_is_long_refused_is_one_error_and_not_one_of_each_call(start: Start) -> None:
    with start(following=True) as rotation:
        rotation.takes()
        with calling(rotation.gateway.url) as clients:
            clients.wait_for(100)
        assert set(clients.outcomes) == {"upstream-authcode"}
        assert 1 <= len(rotation.notes("error")) <= _WORKERS
        assert set(rotation.notes("error")) == {"main was refused"}
        rotation.takes(NEW)
        assert post(rotation.gateway.url, envelope()).result
