"""A process with all its children: started, watched, ended."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psutil

ROOT: Final = Path(__file__).parent.parent
"""Where the processes run."""

_PATIENCE: Final = 30.0
_LAST_WORDS: Final = 2000
# Settings of an operator's own gateway, and proxies, must not change what is measured.
_FOREIGN: Final = ("TOEFL_SHIM_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "GUNICORN_", "WEB_CONCURRENCY", "NODE_")


class Group:
    """A process and its children."""

    def __init__(self, root: psutil.Process) -> None:
        """Take the one that started the others."""
        self._root = root

    def members(self) -> list[psutil.Process]:
        """All of them."""
        return [self._root, *self._root.children(recursive=True)]

    def workers(self) -> list[psutil.Process]:
        """Those that answer calls: the children, or where there are none the process itself."""
        return self._root.children(recursive=True) or [self._root]

    def cpu(self) -> float:
        """Seconds of CPU that all have used, in the kernel and by children that ended as well."""
        used = 0.0
        for member in self.members():
            with suppress(psutil.NoSuchProcess):  # its parent has its seconds now
                used += sum(member.cpu_times()[:4])
        return used


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listening(port: int) -> Callable[[], bool]:
    """Whether something listens on a port of this machine."""

    def ready() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    return ready


@contextmanager
def started(
    command: list[str], log: Path, ready: Callable[[], bool], environment: Mapping[str, str] | None = None
) -> Iterator[Group]:
    """Run a command until the end of the block, which begins when it is ready.

    Raises:
        RuntimeError: It ended, or took too long; with its last words.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.upper().startswith(_FOREIGN)}
    variables = inherited | dict(environment or {})
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=output, stderr=subprocess.STDOUT)  # noqa: S603 - the systems to measure
    try:
        until = time.monotonic() + _PATIENCE
        while not ready():
            if process.poll() is not None or time.monotonic() > until:
                words = log.read_text(encoding="utf-8", errors="replace")[-_LAST_WORDS:]
                raise RuntimeError(f"{command[0]} does not answer:\n{words}")
            time.sleep(0.005)
        yield Group(psutil.Process(process.pid))
    finally:
        _stop(process)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for child in psutil.wait_procs(children, timeout=1)[1]:
        child.kill()
