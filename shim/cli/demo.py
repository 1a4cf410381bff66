"""The whole way of one call, to watch: a SOAP call, the REST request it becomes, the scores that come back."""

import base64
import hashlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from lxml import etree
from rich.console import Console
from rich.table import Table

from shim import config
from shim.sandbox import DEMO_AUTHCODE, Options, Sandbox, select
from shim.upstream import scorelink

_PATH: Final = "/TOEFLWebService/TOEFLEdm.asmx"
_START: Final = datetime(2025, 4, 21, 16, 45, 3)  # noqa: DTZ001 - UTC, as the REST API writes it
_END: Final = datetime(2025, 4, 22, 16, 52, 13)  # noqa: DTZ001 - same
_CALL: Final = f"""\
<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">
  <soap:Body>
    <GetScores xmlns="https://ets.org/edm/webservices/">
      <request>
        <StartDate>{_START.isoformat()}</StartDate>
        <EndDate>{_END.isoformat()}</EndDate>
        <Type>TOEFL</Type>
        <ReportBy>scorelinkbyreportdate</ReportBy>
      </request>
    </GetScores>
  </soap:Body>
</soap:Envelope>"""
_SHOWN: Final = ("registration_number", "last_name", "first_name", "date_of_birth", "report_date")
_ROWS: Final = 10
_PATIENCE: Final = 30.0


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def settings(sandbox_url: str) -> dict[str, str]:
    """The environment of a gateway that answers from a sandbox."""
    return {
        "TOEFL_SANDBOX_AUTHCODE": DEMO_AUTHCODE,
        f"{config.PREFIX}AUTHCODES": json.dumps([{"name": "sandbox", "env": "TOEFL_SANDBOX_AUTHCODE"}]),
        f"{config.PREFIX}UPSTREAM__URL": sandbox_url,
    }


@contextmanager
def sandbox_process() -> Iterator[str]:
    """A sandbox as a process of its own, until the end of the block; gives the address of its ``/scores``."""
    bind = f"127.0.0.1:{free_port()}"
    with _process(["sandbox", "--bind", bind], {}, bind):
        yield f"http://{bind}/scores"


@contextmanager
def _process(arguments: list[str], environment: dict[str, str], bind: str) -> Iterator[None]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(config.PREFIX)}
    process = subprocess.Popen(  # noqa: S603 - this very program
        [sys.executable, "-m", "shim", *arguments],
        env=inherited | environment,
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
    """Wait until a process of ours listens at ``ADDRESS:PORT``.

    Raises:
        RuntimeError: It ended, or took too long.
    """
    host, _, port = bind.rpartition(":")
    until = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"nothing answers at {bind}")


def run(console: Console) -> bool:
    """Show one call.

    Returns:
        Whether the bytes that came out are the bytes that went in.
    """
    with Sandbox(Options()) as sandbox:
        bind = f"127.0.0.1:{free_port()}"
        environment = settings(sandbox.url) | {f"{config.PREFIX}GATEWAY__BIND": bind}
        with _process(["serve"], environment, bind):
            scores = _call(bind)
        (seen,) = sandbox.requests
    sent = b"".join(select(Options(), _START, _END).chunks())
    console.rule("1. The legacy client calls the gateway: SOAP", align="left")
    console.print(_CALL)
    console.rule("2. The gateway asks TOEFL Access: REST, with the header authcode", align="left")
    console.print(seen.line)
    console.rule("3. The client has the scores (synthetic)", align="left")
    console.print(_table(scores))
    same = hashlib.sha256(scores).digest() == hashlib.sha256(sent).digest()
    console.print(
        f"SHA-256 sent by the sandbox     {hashlib.sha256(sent).hexdigest()}\n"
        f"SHA-256 received by the client  {hashlib.sha256(scores).hexdigest()}\n"
        f"{len(scores):,} bytes, {'[green]the same' if same else '[red]not the same'}[/]",
    )
    return same


def _call(bind: str) -> bytes:
    connection = http.client.HTTPConnection(bind, timeout=_PATIENCE)
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '"https://ets.org/edm/webservices/GetScores"'}
    connection.request("POST", _PATH, _CALL.encode(), headers)
    envelope = etree.fromstring(connection.getresponse().read())
    connection.close()
    return base64.b64decode(envelope.findtext(".//{*}GetScoresResult", ""))


def _table(scores: bytes) -> Table:
    records = [scorelink.read(line) for line in scores.splitlines()]
    table = Table(caption=f"{min(_ROWS, len(records))} of {len(records)} records", caption_justify="left")
    for name in _SHOWN:
        table.add_column(name.replace("_", " "))
    for record in records[:_ROWS]:
        table.add_row(*(record[name] for name in _SHOWN))
    return table
