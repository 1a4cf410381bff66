"""A gateway as a process of its own, as a legacy client meets it."""

import base64
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shim import config
from shim.sandbox import DEMO_AUTHCODE

_PATH: Final = "/TOEFLWebService/TOEFLEdm.asmx"
_VARIABLE: Final = "TOEFL_SANDBOX_AUTHCODE"
_PATIENCE: Final = 30.0


@dataclass(frozen=True)
class Gateway:
    """A gateway that runs.

    Attributes:
        url: The address of its contract.
        log: The file with all that it writes.
    """

    url: str
    log: Path

    @property
    def wsdl(self) -> str:
        """The address of the WSDL with the SOAP 1.1 port."""
        return f"{self.url}?wsdl"

    @property
    def wsdl_of_all_ports(self) -> str:
        """The address of the WSDL with the SOAP 1.2 port as well."""
        return f"{self.url}?wsdl&ports=all"


@contextmanager
def running_gateway(
    upstream_url: str,
    log: Path,
    *,
    authcode: str = DEMO_AUTHCODE,
    planted: Iterable[str] = (),
    settings: Mapping[str, str] | None = None,
) -> Iterator[Gateway]:
    """Run a gateway until the end of the block; then look for secrets in what it wrote.

    Args:
        upstream_url: The address of ``/scores``.
        log: The file to write to.
        authcode: The stored authcode.
        planted: What must not be in the log, besides the authcode and the secret in it.
        settings: More settings, as ``SECTION__KEY``.
    """
    bind = f"127.0.0.1:{_free_port()}"
    ours = {
        "UPSTREAM__URL": upstream_url,
        "GATEWAY__BIND": bind,
        "GATEWAY__WORKERS": "1",
        "AUTHCODES": json.dumps([{"name": "sandbox", "env": _VARIABLE}]),
        **(settings or {}),
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith(config.PREFIX)}
    environment |= {config.PREFIX + name: value for name, value in ours.items()}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "shim", "serve"],
            env=environment | {_VARIABLE: authcode},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(process, bind, log)
        yield Gateway(f"http://{bind}{_PATH}", log)
    finally:
        process.terminate()
        process.wait(_PATIENCE)
    _, _, secret = base64.b64decode(authcode).decode().partition(":")
    written = log.read_text(encoding="utf-8")
    leaked = sum(value in written for value in (authcode, secret, *planted))
    assert not leaked, f"{leaked} planted values are in {log}"
    assert "Traceback" not in written, f"a traceback is in {log}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(process: "subprocess.Popen[bytes]", bind: str, log: Path) -> None:
    host, _, port = bind.rpartition(":")
    until = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"the gateway does not come up:\n{log.read_text(encoding='utf-8')}")
