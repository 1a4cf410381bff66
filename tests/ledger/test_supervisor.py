import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from shim.config import LedgerSettings
from shim.ledger.journal import STATUS_FILE
from shim.ledger.supervisor import WriterSupervisor
from shim.web.worker import signals_held
from tests.processes import wait_until


def settings(folder: Path) -> LedgerSettings:
    return LedgerSettings(url=SecretStr(f"sqlite:///{folder / 'ledger.db'}"))


def writers() -> set[int]:
    tasks = Path(f"/proc/{os.getpid()}/task").iterdir()
    children = {int(child) for task in tasks for child in _read(task / "children").split()}
    return {child for child in children if b"shim.ledger.writer" in _read(Path(f"/proc/{child}/cmdline"))}


def the_writer() -> int:
    wait_until(lambda: len(writers()) == 1, "writer")
    return writers().pop()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def supervisor(tmp_path: Path, clock: Clock) -> Iterator[WriterSupervisor]:
    made = WriterSupervisor(settings(tmp_path), signals_held, clock)
    yield made
    made.stop()


def test_it_starts_one_writer(supervisor: WriterSupervisor, tmp_path: Path) -> None:
    supervisor.ensure_running()
    first = the_writer()
    supervisor.ensure_running()
    wait_until((tmp_path / "journal" / STATUS_FILE).exists, "beginning")
    supervisor.ensure_running()
    assert writers() == {first}
    supervisor.stop()
    assert writers() == set()
    assert (tmp_path / "ledger.db").exists()


def test_the_signals_that_end_the_gateway_do_not_end_the_writer(supervisor: WriterSupervisor, tmp_path: Path) -> None:
    supervisor.ensure_running()
    pid = the_writer()
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(pid, number)
    wait_until((tmp_path / "journal" / STATUS_FILE).exists, "beginning")
    assert writers() == {pid}


def test_a_writer_that_ends_is_started_again_after_growing_delays(
    supervisor: WriterSupervisor, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[float] = []

    class Ended(subprocess.Popen[bytes]):
        def __init__(self, *arguments: object, **more: object) -> None:
            super().__init__(["true"], bufsize=0, stdin=subprocess.PIPE)
            self.wait()
            started.append(clock.seconds)

    monkeypatch.setattr(subprocess, "Popen", Ended)
    for second in range(200):
        clock.seconds = second
        supervisor.ensure_running()
    assert started == [0, 1, 3, 7, 15, 31, 63, 123, 183]


def test_a_writer_that_cannot_be_started_is_logged_and_tried_again(
    supervisor: WriterSupervisor, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **more: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    with monkeypatch.context() as patched, capture_logs() as logged:
        patched.setattr(subprocess, "Popen", fail)
        supervisor.ensure_running()
    assert [line["note"] for line in logged] == ["the writer cannot be started: Resource temporarily unavailable"]
    clock.seconds += 60
    supervisor.ensure_running()
    the_writer()


def test_without_a_ledger_there_is_no_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    supervisor = WriterSupervisor(LedgerSettings(), signals_held)
    supervisor.ensure_running()
    supervisor.stop()
    assert writers() == set()
