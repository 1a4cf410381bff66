"""The command ``demo``: one call, shown on its whole way."""

import base64
import hashlib
import http.client
from datetime import datetime
from typing import Final

import typer
from lxml import etree
from rich.table import Table

from shim.cli import console
from shim.config import PREFIX
from shim.sandbox import Options, Sandbox, select
from shim.sandbox.process import free_port, gateway_environment, running
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
_TIMEOUT: Final = 30.0
"""Seconds."""

cli = typer.Typer(add_completion=False)


@cli.command(name="demo")
def demo() -> None:
    """Show a legacy SOAP call, the REST request that it becomes, and the scores that come back."""
    with Sandbox(Options()) as sandbox:
        bind = f"127.0.0.1:{free_port()}"
        environment = gateway_environment(sandbox.url) | {f"{PREFIX}GATEWAY__BIND": bind}
        with running(["serve"], environment, bind):
            scores = _call(bind)
        (seen,) = sandbox.requests
    sent = b"".join(select(Options(), _START, _END).chunks())
    console.out.rule("1. The legacy client calls the gateway: SOAP", align="left")
    console.out.print(_CALL)
    console.out.rule("2. The gateway asks TOEFL Access: REST, with the header authcode", align="left")
    console.out.print(seen.line)
    console.out.rule("3. The client has the scores (synthetic)", align="left")
    console.out.print(_table(scores))
    console.out.print(
        f"SHA-256 sent by the sandbox     {hashlib.sha256(sent).hexdigest()}\n"
        f"SHA-256 received by the client  {hashlib.sha256(scores).hexdigest()}\n"
        f"{len(scores):,} bytes, {'[green]the same' if scores == sent else '[red]not the same'}[/]",
    )
    raise typer.Exit(int(scores != sent))


def _call(bind: str) -> bytes:
    connection = http.client.HTTPConnection(bind, timeout=_TIMEOUT)
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
