"""The commands ``callers``, ``callers migrated`` and ``callers add``."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer
from argon2 import PasswordHasher
from rich.markup import escape

from shim.cli import console
from shim.cli.ledger import opened
from shim.cli.options import ConfigFile
from shim.ledger import listing

cli = typer.Typer(name="callers", invoke_without_command=True, add_completion=False)


@cli.callback()
def list_callers(
    context: typer.Context,
    config_file: ConfigFile = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """List the callers in the ledger: how often and with what each calls, and since when it can be retired."""
    if context.invoked_subcommand is not None:
        return
    with opened(config_file) as ledger:
        summary = ledger.summary(datetime.now(UTC))
    if as_json:
        typer.echo(listing.as_json(summary))
    elif as_csv:
        typer.echo(listing.as_csv(summary), nl=False)
    else:
        console.out.print(listing.as_table(summary))


@cli.command(name="migrated")
def mark_caller(
    name: Annotated[str, typer.Argument(help="The caller's name.")],
    config_file: ConfigFile = None,
    *,
    undo: Annotated[bool, typer.Option("--undo", help="Remove the mark.")] = False,
) -> None:
    """Mark a caller as migrated: it should not call any more, and is shown in red if it does."""
    with opened(config_file) as ledger:
        if not ledger.mark_migrated(name, None if undo else datetime.now(UTC)):
            console.refuse(f"{name}: nobody has called by this name; see toefl-shim callers")
    console.out.print(f"{escape(name)} is marked as {'not ' if undo else ''}migrated")


@cli.command(name="add")
def add_caller(
    name: Annotated[str, typer.Argument(help="The caller's name in the log.")],
    user: Annotated[str, typer.Argument(help="The user name that it sends.")],
) -> None:
    """Ask for a caller's password, and print its entry for the configuration with a hash of the password."""
    password = console.ask("Password")
    fields = {"name": name, "credentials": "own", "user": user, "password_hash": PasswordHasher().hash(password)}
    lines = (f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in fields.items())
    typer.echo("\n".join(("[[callers]]", *lines)))
