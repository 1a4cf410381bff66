"""The command ``compare``."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track
from rich.table import Table

from shim import config, log
from shim.cli import console
from shim.cli.options import ConfigFile
from shim.compare.comparison import Comparison
from shim.config import ConfigError

cli = typer.Typer(add_completion=False)


@cli.command(name="compare")
def compare(  # noqa: PLR0913 - one argument for each option
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="The last day.")],
    config_file: ConfigFile = None,
    *,
    legacy_url: Annotated[str, typer.Option(help="Address of the legacy service; by default legacy.url.")] = "",
    legacy_wsdl: Annotated[Path | None, typer.Option(help="File with its WSDL; by default legacy.wsdl.")] = None,
    mapping: Annotated[Path | None, typer.Option(help="Mapping of the WSDL; by default beside it.")] = None,
    legacy_authcode: Annotated[Path | None, typer.Option(help="File with the base64 of user:password for it.")] = None,
    operation: Annotated[str, typer.Option(help="Its operation; by default the first with credentials.")] = "",
    authcode: Annotated[str, typer.Option(help="Name of the stored authcode; by default the first.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Ask the legacy service and TOEFL Access for the same days, and show which fields differ, without any value.

    Exit status: 0 if the scores are the same, 1 if they differ, 2 if they could not be compared.
    """
    from shim.compare.services import ComparisonError, Services  # noqa: PLC0415 - zeep is slow to load

    log.configure()
    given: dict[str, str | Path] = {"url": legacy_url} if legacy_url else {}
    files = {"wsdl": legacy_wsdl, "mapping": mapping, "authcode_file": legacy_authcode}
    given |= {name: file.absolute() for name, file in files.items() if file is not None}
    try:
        services = Services(config.load(config_file).comparison(given), authcode, operation)
        days = tuple(services.days(first.date(), last.date()))
        is_shown = len(days) > 1 and console.err.is_terminal
        found = services.compare(track(days, "days", console=console.err, transient=True, disable=not is_shown))
    except (ConfigError, ComparisonError) as error:
        console.refuse(error, status=2)
    if as_json:
        typer.echo(json.dumps(found.as_json(), indent=2))
    else:
        console.out.print(_table(found))
    raise typer.Exit(int(found.outcome == "different"))


def _table(found: Comparison) -> Table:
    ends = ", ".join(sorted(found.line_ends_legacy)), ", ".join(sorted(found.line_ends_rest))
    table = Table(
        title=f"{found.outcome}: {found.legacy} records of the legacy service, {found.rest} of TOEFL Access",
        caption=(
            f"only legacy: {found.only_legacy} · only TOEFL Access: {found.only_rest} · in one of two legacy answers: "
            f"{found.unsteady} · repeated numbers: {found.repeated_legacy}, {found.repeated_rest} · "
            f"line ends: {ends[0] or 'none'}; {ends[1] or 'none'}"
        ),
        title_justify="left",
        caption_justify="left",
    )
    for heading in ("field", "bytes", "records", "noise", "digests, old → new"):
        table.add_column(heading, overflow="fold")
    for part, finding in found.fields.items():
        pairs = "\n".join(f"{old} → {new} ({times})" for (old, new), times in finding.examples.items())
        where = f"{part.start}-{part.end}" if part.end else ""
        table.add_row(part.name, where, str(finding.records), str(finding.noise or ""), pairs)
    return table
