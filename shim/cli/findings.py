"""What ``check`` looks at: the configuration, and every part that it names, even if one before it is wrong."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shim import config
from shim.access.callers import secret_of
from shim.compare.services import ComparisonError, Services
from shim.config import Config, ConfigError, ContractSettings, LedgerSettings, LegacySettings
from shim.contracts import contract
from shim.contracts.contract import ContractError
from shim.errors import GatewayError
from shim.ledger.store import DATABASE_ERRORS, LedgerMissingError, LedgerStore
from shim.query import ScoreQuery
from shim.retirement.policy import outlook
from shim.spool import SpoolQuota
from shim.upstream.authcode import AuthcodeError
from shim.upstream.client import Client
from shim.upstream.stored_authcode import StoredAuthcode


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        part: The part that was checked.
        good: Whether it can be used.
        text: What it is, or what is wrong with it.
    """

    part: str
    good: bool
    text: str


def check(path: Path | None, *, upstream: bool) -> Iterator[Finding]:
    """Check the configuration; if it is valid, check everything that it names.

    Args:
        path: The configuration file; if ``None``, the environment alone is checked.
        upstream: Also make one real call to TOEFL Access with each authcode.
    """
    try:
        settings = config.load(path)
    except ConfigError as error:
        yield from _wrong("config", error)
        return
    yield Finding("config", good=True, text=str(path) if path is not None else "from the environment")
    for source in settings.contracts:
        yield from _contract(source, settings.retirement.info_url)
    if settings.legacy is not None:
        yield from _legacy(settings, settings.legacy)
    yield from _callers(settings)
    yield from _ledger(settings.ledger)
    yield from _authcodes(settings, upstream=upstream)
    coming = outlook(settings.retirement, datetime.now(UTC))
    if coming:
        yield Finding("retirement", good=True, text=coming)


def _callers(settings: Config) -> Iterator[Finding]:
    for entry in settings.who_may_call:
        try:
            secret_of(entry)
        except AuthcodeError as error:
            yield from _wrong("callers", error)
    yield Finding("callers", good=True, text=", ".join(entry.name for entry in settings.who_may_call))


def _contract(source: ContractSettings, info_url: str | None) -> Iterator[Finding]:
    try:
        loaded = contract.from_settings(source, info_url)
    except ContractError as error:
        yield from _wrong("contract", error)
        return
    answered = [name for name, operation in loaded.operations.items() if not operation.mapping.unavailable]
    yield Finding("contract", good=True, text=f"{source.path} answers {', '.join(answered)}")


def _legacy(settings: Config, source: LegacySettings) -> Iterator[Finding]:
    try:
        Services(settings.comparison())
    except ComparisonError as error:
        yield from _wrong("legacy", error)
    else:
        yield Finding("legacy", good=True, text=f"{source.url} is called as {source.wsdl.name} describes")


def _authcodes(settings: Config, *, upstream: bool) -> Iterator[Finding]:
    for source in settings.authcodes:
        try:
            authcode = StoredAuthcode(source)
        except AuthcodeError as error:
            yield from _wrong("authcode", error)
            continue
        yield Finding("authcode", good=True, text=f"{source.name}, from {source.place}, is well-formed")
        if upstream:
            yield _call(settings, authcode.current.value)


def _call(settings: Config, authcode: str) -> Finding:
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    query = ScoreQuery(now - timedelta(minutes=1), now, "TOEFL", "scorelinkbyreportdate")
    try:
        quota = SpoolQuota(*settings.spool.quota)
        with Client(settings.upstream, quota).fetch(query, authcode) as file:
            return Finding("upstream", good=True, text=f"answered, with {file.records} records of the last minute")
    except GatewayError as error:
        return Finding("upstream", good=False, text=error.with_advice)


def _ledger(settings: LedgerSettings) -> Iterator[Finding]:
    if settings.url is None or settings.folder is None:
        yield Finding("ledger", good=True, text="none: set ledger.url to know who calls")
        return
    yield _database(LedgerStore(settings.url.get_secret_value()))
    existing = next(path for path in (settings.folder, *settings.folder.parents) if path.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        yield Finding("ledger", good=False, text=f"the journal cannot be made in {existing}")
    if settings.key_file is not None and not os.access(settings.key_file, os.R_OK):
        yield Finding("ledger", good=False, text=f"the key cannot be read from {settings.key_file}")


def _database(ledger: LedgerStore) -> Finding:
    try:
        ledger.check()
    except LedgerMissingError as error:
        return Finding("ledger", good=True, text=str(error))
    except DATABASE_ERRORS as error:
        return Finding("ledger", good=False, text=ledger.describe(error))
    return Finding("ledger", good=True, text="can be written to")


def _wrong(part: str, error: Exception) -> Iterator[Finding]:
    for reason in str(error).splitlines():
        yield Finding(part, good=False, text=reason)
