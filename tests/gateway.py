"""A gateway as a process of its own, as a legacy client meets it."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shim import config
from shim.sandbox import DEMO_AUTHCODE
from shim.sandbox.process import free_port, wait_for
from tests.planted import planted as known_secrets

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
        planted: What must not be in the log, besides the authcode and all that ``tests.planted`` knows of.
        settings: More settings, as ``SECTION__KEY``.
    """
    bind = f"127.0.0.1:{free_port()}"
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
        wait_for(process, bind)
        yield Gateway(f"http://{bind}{_PATH}", log)
    finally:
        process.terminate()
        process.wait(_PATIENCE)
    _, _, secret = base64.b64decode(authcode).decode().partition(":")
    written = log.read_text(encoding="utf-8")
    leaked = sum(value in written for value in (authcode, secret, *planted, *known_secrets().values()))
    assert not leaked, f"{leaked} planted values are in {log}"
    assert "Traceback" not in written, f"a traceback is in {log}"
