"""The command ``sandbox``."""

from contextlib import suppress
from datetime import datetime
from typing import Annotated

import typer

from shim.cli import console
from shim.sandbox import (
    DEMO_AUTHCODE,
    FIRST_REPORTED,
    LAST_REPORTED,
    AnsweredRequest,
    Faults,
    Names,
    Options,
    Sandbox,
    Scale,
)

cli = typer.Typer(add_completion=False)


@cli.command(name="sandbox")
def sandbox(  # noqa: PLR0913 - one argument for each option
    *,
    bind: Annotated[str, typer.Option(metavar="127.0.0.1:PORT", help="Where to listen.")] = "127.0.0.1:8081",
    records: Annotated[int, typer.Option(min=0, max=100_000, help="Number of scores.")] = 30,
    width: Annotated[int, typer.Option(min=774, max=1600, help="Bytes in a record.")] = 1600,
    scale: Annotated[Scale, typer.Option(help="Scale of the scores: 0-120, 1-6, or both.")] = "mixed",
    names: Annotated[Names, typer.Option(help="Encoding of names; ascii for names without other letters.")] = "ascii",
    lf: Annotated[bool, typer.Option("--lf", help="End records with LF instead of CR LF.")] = False,
    first: Annotated[datetime, typer.Option(help="When the first score was reported, UTC.")] = FIRST_REPORTED,
    last: Annotated[datetime, typer.Option(help="When the last score was reported, UTC.")] = LAST_REPORTED,
    status: Annotated[int | None, typer.Option(min=200, max=599, help="Fault: answer with this HTTP status.")] = None,
    delay: Annotated[float, typer.Option(min=0, help="Fault: seconds to wait before each answer.")] = 0,
    cut: Annotated[int | None, typer.Option(min=0, help="Fault: bytes of the body to send before closing.")] = None,
    html: Annotated[bool, typer.Option("--html", help="Fault: answer with a page of HTML.")] = False,
    json_errors: Annotated[bool, typer.Option("--json-errors", help="Write errors as JSON.")] = False,
) -> None:
    """Run a stand-in for TOEFL Access on this machine, with synthetic scores and, on request, with faults."""
    host, _, port = bind.rpartition(":")
    if host != "127.0.0.1" or not port.isdecimal():
        console.refuse("--bind: must be 127.0.0.1:PORT, because the sandbox serves this machine alone")
    try:
        options = Options(records, first, last, width, "\n" if lf else "\r\n", scale, names)
    except ValueError as error:
        console.refuse(error)
    faults = Faults(status=status, delay=delay, cut=cut, html=html, json_errors=json_errors)
    stand_in = Sandbox(options, port=int(port), faults=faults, log=_show)
    console.out.print(f"{stand_in.url} with the header authcode: {DEMO_AUTHCODE}")
    with suppress(KeyboardInterrupt):
        stand_in.serve_forever()


def _show(seen: AnsweredRequest) -> None:
    console.out.print(seen.status, seen.line, markup=False)
