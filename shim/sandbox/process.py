"""This program as a process of its own: a sandbox, or a gateway that answers from one."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from shim.config import PREFIX
from shim.sandbox.keys import DEMO_AUTHCODE

_START_TIMEOUT: Final = 30.0
"""Seconds."""
_AUTHCODE_VARIABLE: Final = "TOEFL_SANDBOX_AUTHCODE"


def free_port() -> int:
    """Return a port of this machine on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def gateway_environment(sandbox_url: str) -> dict[str, str]:
    """Return the environment variables of a gateway that answers from a sandbox."""
    return {
        _AUTHCODE_VARIABLE: DEMO_AUTHCODE,
        f"{PREFIX}AUTHCODES": json.dumps([{"name": "sandbox", "env": _AUTHCODE_VARIABLE}]),
        f"{PREFIX}UPSTREAM__URL": sandbox_url,
    }


@contextmanager
def sandbox_process() -> Iterator[str]:
    """Run a sandbox until the end of the block; yield the address of its ``/scores``.

    Raises:
        RuntimeError: It did not start.
    """
    bind = f"127.0.0.1:{free_port()}"
    with running(["sandbox", "--bind", bind], {}, bind):
        yield f"http://{bind}/scores"


@contextmanager
def running(arguments: Sequence[str], environment: Mapping[str, str], bind: str) -> Iterator[None]:
    """Run ``toefl-shim`` until the end of the block. What it prints is thrown away.

    Args:
        arguments: The command and its options.
        environment: Variables to add to this process's own, which are passed without the settings in them.
        bind: The ``ADDRESS:PORT`` on which the command listens.

    Raises:
        RuntimeError: It did not start.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    process = subprocess.Popen(  # noqa: S603 - this very program
        [sys.executable, "-m", "shim", *arguments],
        env=inherited | dict(environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(process, bind)
        yield
    finally:
        process.terminate()
        process.wait()


def wait_for(process: "subprocess.Popen[Any]", bind: str) -> None:
    """Wait until a process listens on ``ADDRESS:PORT``.

    Raises:
        RuntimeError: It ended, or does not listen after 30 seconds.
    """
    host, _, port = bind.rpartition(":")
    until = time.monotonic() + _START_TIMEOUT
    while process.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"nothing answers at {bind}")
