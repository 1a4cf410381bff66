"""The command ``successor``."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from shim.cli import console, options
from shim.cli.ledger import opened
from shim.cli.options import ConfigFile
from shim.retirement import successor
from shim.retirement.successor import Language

cli = typer.Typer(add_completion=False)


@cli.command(name="successor")
def show_successor(
    name: Annotated[str, typer.Argument(help="The caller's name.")],
    config_file: ConfigFile = None,
    *,
    operation: Annotated[str | None, typer.Option(help="The operation, if the caller calls several.")] = None,
    lang: Annotated[Language | None, typer.Option(help="Language of the program; by default, only an address.")] = None,
) -> None:
    """Print the REST request that replaces a caller's calls, as an address or a program, without an authcode."""
    with opened(config_file) as ledger:
        summary = ledger.summary(datetime.now(UTC))
    upstream = options.load(config_file).upstream.url
    try:
        query = successor.select_query(summary, name, operation)
    except LookupError as error:
        console.refuse(error)
    told = successor.program(lang, upstream, query) if lang else f"{successor.url(upstream, query)}\n"
    typer.echo(told, nl=False)
