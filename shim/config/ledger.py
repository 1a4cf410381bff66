"""Settings of the ledger, which counts calls by caller."""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo

from shim.config.section import SettingsSection
from shim.config.values import AnchoredPath, anchored

_SQLITE: Final = "sqlite:///"


def _state_folder() -> Path | None:
    """Return the folder that systemd gives the service for its state, if there is one."""
    named = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return Path(named) if named else None


def _state_database() -> SecretStr | None:
    folder = _state_folder()
    return SecretStr(f"{_SQLITE}{folder / 'ledger.db'}") if folder else None


def _database(url: SecretStr, info: ValidationInfo) -> SecretStr:
    """Return the address of a database as SQLAlchemy takes it."""
    text = url.get_secret_value()
    scheme, _, rest = text.partition("://")
    if text.startswith(_SQLITE) and text != _SQLITE and not {"?", "#"} & set(text):
        return SecretStr(f"{_SQLITE}{anchored(Path(text.removeprefix(_SQLITE)), info)}")
    if scheme not in ("postgresql", "postgresql+psycopg"):
        raise ValueError("must be sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE")
    if find_spec("psycopg") is None:
        raise ValueError('needs an extra: pip install "toefl-soap-shim[postgresql]"')
    return SecretStr(f"postgresql+psycopg://{rest}")


_Database = Annotated[SecretStr, AfterValidator(_database)]


class LedgerSettings(SettingsSection):
    """The ledger, which counts calls by caller.

    Attributes:
        url: ``sqlite:///PATH`` or ``postgresql://USER:PASSWORD@HOST/DATABASE``. If unset, ``ledger.db`` in systemd's
            ``STATE_DIRECTORY``; without that, there is no ledger.
        journal: A folder on this machine's disk for calls that are not in the database yet. If unset, ``journal``
            beside the SQLite file, or in ``STATE_DIRECTORY``.
        key_file: A key for the hashes of unknown callers; gateways that share it hash alike.
        retention_days: Days after which calls are deleted.
    """

    url: _Database | None = Field(default_factory=_state_database)
    journal: AnchoredPath | None = None
    key_file: AnchoredPath | None = None
    retention_days: int = Field(default=400, ge=90, le=10_000)

    @property
    def folder(self) -> Path | None:
        """The folder of the journal; ``None`` if there is no ledger."""
        if self.url is None or self.journal is not None:
            return self.journal if self.url else None
        url = self.url.get_secret_value()
        state = Path(url.removeprefix(_SQLITE)).parent if url.startswith(_SQLITE) else _state_folder()
        return state / "journal" if state else None

    def mistakes(self) -> Iterator[str]:
        """Yield what is wrong between these settings."""
        if self.url is not None and self.folder is None:
            yield "journal is required, because the database is on another machine: set it to a folder on this one"
