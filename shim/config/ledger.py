"""Where it is kept who calls."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from shim.config.values import AnchoredPath, SettingsSection, base

_SQLITE: Final = "sqlite:///"


def _state_folder() -> Path | None:
    """Where systemd wants the state of a service to be."""
    named = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return Path(named) if named else None


def _state_database() -> SecretStr | None:
    folder = _state_folder()
    return SecretStr(f"{_SQLITE}{folder / 'ledger.db'}") if folder else None


def _database(url: SecretStr) -> SecretStr:
    text = url.get_secret_value()
    scheme, _, rest = text.partition("://")
    if text.startswith(_SQLITE) and text != _SQLITE and not {"?", "#"} & set(text):
        return SecretStr(f"{_SQLITE}{base.get(Path()) / text.removeprefix(_SQLITE)}")
    if scheme not in ("postgresql", "postgresql+psycopg"):
        raise ValueError("is neither sqlite:///PATH nor postgresql://USER:PASSWORD@HOST/DATABASE")
    if find_spec("psycopg") is None:
        raise ValueError('needs more to be installed: pip install "toefl-soap-shim[postgresql]"')
    return SecretStr(f"postgresql+psycopg://{rest}")


_Database = Annotated[SecretStr, AfterValidator(_database)]


class LedgerSettings(SettingsSection):
    """Where it is kept who calls.

    Attributes:
        url: ``sqlite:///PATH`` or ``postgresql://USER:PASSWORD@HOST/DATABASE``; under systemd ``ledger.db`` in
            ``STATE_DIRECTORY`` if unset, and elsewhere nothing is kept then.
        journal: The folder, on this machine's disk, for calls that are not in the database yet; beside its file
            if unset.
        key_file: A key for the hashes of callers that have no name, for gateways that are to hash alike.
        retention_days: After so many days, calls are forgotten.
    """

    url: _Database | None = Field(default_factory=_state_database)
    journal: AnchoredPath | None = None
    key_file: AnchoredPath | None = None
    retention_days: int = Field(default=400, ge=90, le=10_000)

    @property
    def folder(self) -> Path | None:
        """The folder of the journal, if there is a ledger."""
        if self.url is None or self.journal is not None:
            return self.journal if self.url else None
        url = self.url.get_secret_value()
        state = Path(url.removeprefix(_SQLITE)).parent if url.startswith(_SQLITE) else _state_folder()
        return state / "journal" if state else None

    @model_validator(mode="after")
    def _has_a_journal(self) -> Self:
        if self.url is not None and self.folder is None:
            raise ValueError("journal: needs a folder, as the database is on no disk of this machine")
        return self
