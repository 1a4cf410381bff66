"""The root of the command line: the version, and the commands by name."""

import hashlib
from importlib import import_module, metadata
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from shim import __version__
from shim.config import SHIPPED

_COMMANDS: Final = (
    "serve",
    "sandbox",
    "demo",
    "check",
    "adopt",
    "contract",
    "compare",
    "successor",
    "callers",
    "authcode",
)
"""The names of the commands. Each is also the name of a module here, whose ``cli`` is the command."""


class _Commands(TyperGroup):
    """Imports the module of a command when the command is asked for, so that ``serve`` loads no other."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 - the library's own, private type
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - same
        # For a name that no command has, typer suggests one of the commands that it knows.
        for name in [cmd_name] if cmd_name in _COMMANDS else _COMMANDS:
            if name not in self.commands:
                self.commands[name] = typer.main.get_command(import_module(f"shim.cli.{name}").cli)
        return super().get_command(ctx, cmd_name)


cli = typer.Typer(
    cls=_Commands,
    help="Stand in for the retired TOEFL score SOAP service, and answer from the TOEFL Access REST API.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line."""
    cli()


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer passes it by position
    if wanted:
        wsdl = (SHIPPED / "TOEFLEdm.wsdl").read_bytes()
        typer.echo(f"toefl-shim {__version__}")
        typer.echo(f"contract TOEFLEdm, sha256 {hashlib.sha256(wsdl).hexdigest()[:12]}")
        typer.echo(f"spyne {metadata.version('spyne')}")
        raise typer.Exit


@cli.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the versions.")
    ] = False,
) -> None:
    pass
