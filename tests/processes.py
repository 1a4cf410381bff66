"""Ports for processes, and waiting for, stopping and inspecting processes."""

import atexit
import secrets
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

PATIENCE: Final = 30.0
"""Seconds after which a test stops waiting."""

_PORTS: Final = range(10_000, 32_000)
"""Below the ports that the kernel chooses for outgoing connections: tests make thousands of them."""
_reserved: Final = ExitStack()
atexit.register(_reserved.close)


def free_port() -> int:
    """Return a port of 127.0.0.1, reserved for servers that this process starts.

    The process keeps a socket bound to the port: other processes that ask for a free port get another one, and a server
    can still listen, as servers allow the reuse of addresses.
    """
    while True:
        holder = socket.socket()
        try:
            holder.bind(("127.0.0.1", secrets.choice(_PORTS)))
        except OSError:
            holder.close()
            continue
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _reserved.enter_context(holder)
        port: int = holder.getsockname()[1]
        return port


def wait_until(done: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    """Wait until a condition holds.

    Args:
        done: The condition.
        what: The thing that is waited for, for the failure's message.
        seconds: The longest wait.

    Raises:
        AssertionError: The condition did not hold in time.
    """
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"no {what} in {seconds} s"
        time.sleep(0.02)


def stop(process: "subprocess.Popen[Any]") -> None:
    """Send SIGTERM and wait for the end; kill the process and raise if it does not end in time."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def is_running(pid: int) -> bool:
    """Tell whether a process exists and is no zombie."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def unlinked_files(pid: int, folder: Path) -> int:
    """Count the files of a folder that a process has open and that have no name any more."""
    links = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.append(str(path.readlink()))
        except FileNotFoundError:  # closed meanwhile
            continue
    return sum(link.startswith(str(folder)) and link.endswith("(deleted)") for link in links)
