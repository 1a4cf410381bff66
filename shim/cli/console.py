"""The terminal: what commands print, ask and refuse."""

import sys
from typing import Final, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

out: Final = Console(highlight=False, soft_wrap=True)
"""For results."""
err: Final = Console(stderr=True, highlight=False, soft_wrap=True)
"""For everything else."""


def refuse(reasons: str | Exception, *, status: int = 1) -> NoReturn:
    """Print each line of the reasons, and end the command with an exit status."""
    for reason in str(reasons).splitlines():
        err.print(f"[red]refused[/] {escape(reason)}")
    raise typer.Exit(status)


def ask(what: str) -> str:
    """Return a secret: typed twice without echo on a terminal, otherwise the first line of standard input."""
    if not sys.stdin.isatty():
        text = sys.stdin.readline().rstrip("\r\n")
        return text or refuse(f"{what}: is required")
    return typer.prompt(what, hide_input=True, confirmation_prompt=True, err=True)  # type: ignore[no-any-return]
