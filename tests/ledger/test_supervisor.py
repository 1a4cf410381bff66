import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from shim.config import LedgerSettings
from shim.ledger.journal import STATUS
from shim.ledger.supervisor import WriterSupervisor
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


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[WriterSupervisor]:
    made = WriterSupervisor(settings(tmp_path))
    yield made
    made.end()


def test_it_starts_one_and_no_more(keeper: WriterSupervisor, tmp_path: Path) -> None:
    keeper.look()
    first = the_writer()
    keeper.look()
    wait_until((tmp_path / "journal" / STATUS).exists, "beginning")
    keeper.look()
    assert writers() == {first}
    keeper.end()
    assert writers() == set()
    assert (tmp_path / "ledger.db").exists()


def test_what_ends_the_gateway_does_not_end_it(keeper: WriterSupervisor, tmp_path: Path) -> None:
    keeper.look()
    pid = the_writer()
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(pid, number)
    wait_until((tmp_path / "journal" / STATUS).exists, "beginning")
    assert writers() == {pid}


def test_one_that_ended_is_started_again_and_not_at_once_each_time(
    keeper: WriterSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    class Ended(subprocess.Popen[bytes]):
        def __init__(self, *arguments: object, **more: object) -> None:
            super().__init__(["true"], bufsize=0, stdin=subprocess.PIPE)
            self.wait()
            started.append(int(now[0]))

    monkeypatch.setattr(subprocess, "Popen", Ended)
    for second in range(200):
        now[0] = float(second)
        keeper.look()
    assert started == [0, 1, 3, 7, 15, 31, 63, 123, 183]


def test_one_that_cannot_be_started_is_the_gateways_business_no_more_than_that(
    keeper: WriterSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **more: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    with monkeypatch.context() as patched, capture_logs() as logged:
        patched.setattr(subprocess, "Popen", fail)
        keeper.look()
    assert [line["note"] for line in logged] == ["its writer does not start: Resource temporarily unavailable"]
    monkeypatch.setattr(keeper, "_delay", 0)
    keeper.look()
    the_writer()


def test_without_a_ledger_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    keeper = WriterSupervisor(LedgerSettings())
    keeper.look()
    keeper.end()
    assert writers() == set()
