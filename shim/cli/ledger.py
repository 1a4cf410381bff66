"""The ledger, as commands open it."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from shim.cli import console, options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shim.ledger.store import LedgerStore


@contextmanager
def opened(config_file: Path | None) -> "Iterator[LedgerStore]":
    """Open the ledger. End the command if none is configured, or if the database fails within the block."""
    from shim.ledger.store import DATABASE_ERRORS, LedgerStore  # noqa: PLC0415 - SQLAlchemy is slow to load

    url = options.load(config_file).ledger.url
    if url is None:
        console.refuse("no ledger is kept: set ledger.url")
    ledger = LedgerStore(url.get_secret_value())
    try:
        yield ledger
    except DATABASE_ERRORS as error:
        console.refuse(f"ledger: {ledger.describe(error)}")
