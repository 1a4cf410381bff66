"""The command ``contract``."""

import typer
from rich.markup import escape
from rich.table import Table

from shim import config
from shim.cli import console, options
from shim.cli.options import ConfigFile
from shim.config import ContractSettings
from shim.contracts import contract
from shim.contracts.contract import Contract, ContractError

cli = typer.Typer(add_completion=False)


@cli.command(name="contract")
def show_contracts(config_file: ConfigFile = None) -> None:
    """Show the operations of each contract: what their parameters become, their results and their form of errors."""
    configured = options.load(config_file) if config.names_upstream(config_file) else None
    info_url = configured.retirement.info_url if configured else None
    try:
        for source in configured.contracts if configured else (ContractSettings(),):
            console.out.print(_table(source.path, contract.from_settings(source, info_url)))
    except ContractError as error:
        console.refuse(error)


def _table(path: str, loaded: Contract) -> Table:
    table = Table(title=path, title_justify="left", show_lines=True)
    for heading in ("operation", "namespace", "parameters become", "result", "errors"):
        table.add_column(heading, overflow="fold")
    for operation in loaded.operations.values():
        described, mapping = operation.description, operation.mapping
        becomes = [f"{source} → {part}" for part, source in mapping.sources.items()]
        if mapping.unavailable:
            becomes = [f"not answered: {mapping.unavailable}"]
        result = f"{described.result_path[-1].local}: {described.result_type}" if described.result_path else "none"
        cells = (operation.name, described.request.namespace, "\n".join(becomes), result, mapping.errors)
        table.add_row(*map(escape, cells))
    return table
