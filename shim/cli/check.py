"""The command ``check``."""

from typing import Annotated

import typer
from rich.markup import escape

from shim.cli import console
from shim.cli.options import ConfigFile

cli = typer.Typer(add_completion=False)


@cli.command(name="check")
def check(
    config_file: ConfigFile = None,
    *,
    upstream: Annotated[bool, typer.Option("--upstream", help="Make one real call to TOEFL Access as well.")] = False,
) -> None:
    """Check the configuration and everything that it names, and report all mistakes at once."""
    from shim.cli import findings  # noqa: PLC0415 - it loads SQLAlchemy and zeep, which --help does not need

    found = list(findings.check(config_file, upstream=upstream))
    for finding in found:
        verdict = "[green]good [/]" if finding.good else "[red]wrong[/]"
        console.out.print(f"{verdict} {finding.part}: {escape(finding.text)}")
    raise typer.Exit(int(not all(finding.good for finding in found)))
