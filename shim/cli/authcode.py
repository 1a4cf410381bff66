"""The commands ``authcode encode`` and ``authcode inspect``."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from shim.cli import console
from shim.config import AuthcodeSettings
from shim.upstream.authcode import Authcode, AuthcodeError
from shim.upstream.stored_authcode import StoredAuthcode

cli = typer.Typer(
    name="authcode",
    help="Write and check files with authcodes, the keys to TOEFL Access. No authcode is printed.",
    no_args_is_help=True,
    add_completion=False,
)


@cli.command(name="encode")
def encode(
    file: Annotated[Path, typer.Argument(help="The file to write, readable by you alone.")],
    client_id: Annotated[str, typer.Option("--id", prompt="Client id", help="The client id.")],
) -> None:
    """Write the authcode of a client id and a client secret. The secret is read without echo."""
    try:
        authcode = Authcode.of(client_id, console.ask("Client secret"))
        with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as written:
            written.write(f"{authcode.value}\n")
    except (AuthcodeError, OSError) as error:
        console.refuse(error)
    console.err.print(f"Wrote {escape(str(file))}")


@cli.command(name="inspect")
def inspect(file: Annotated[Path, typer.Argument(help="The file with the authcode.")]) -> None:
    """Check that a file holds a well-formed authcode and is not readable by everybody."""
    try:
        StoredAuthcode(AuthcodeSettings(name=file.name, file=file))
    except AuthcodeError as error:
        console.refuse(error)
    console.out.print(f"{escape(str(file))} is well-formed, and not readable by everybody")
