"""The command ``adopt``."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from shim.cli import console
from shim.contracts import adopt
from shim.contracts.adopt import AdoptError

cli = typer.Typer(add_completion=False)


@cli.command(name="adopt")
def adopt_wsdl(
    wsdl: Annotated[str, typer.Argument(help="File with the WSDL that the client was generated from.")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a mapping that was edited.")] = False,
    fetch: Annotated[bool, typer.Option("--fetch", help="WSDL is a URL: save it in this folder first.")] = False,
) -> None:
    """Draft the mapping of a legacy WSDL in a file beside it, and list what you must decide."""
    try:
        source = adopt.fetch(wsdl, Path()) if fetch else Path(wsdl)
        path = source.with_suffix(".toml")
        drafted = adopt.draft(source)
        adopt.write(drafted, path, force=force)
    except (AdoptError, OSError) as error:
        console.refuse(error)
    console.out.print(f"Wrote {escape(str(path))}")
    for question in drafted.questions:
        console.out.print(f"[yellow]decide[/] {escape(question)}")
