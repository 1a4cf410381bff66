"""Is this gateway set up rightly? Every part is looked at, so that one run tells all that is wrong."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shim import config
from shim.access.callers import secret_of
from shim.config import Config, ConfigError, ContractSettings, LegacySettings
from shim.contracts import contract
from shim.contracts.contract import ContractError
from shim.errors import GatewayError
from shim.query import ScoreQuery
from shim.retirement.policy import outlook
from shim.spool import SpoolQuota
from shim.upstream.authcodes import AuthcodeError, StoredAuthcode
from shim.upstream.client import Client


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one part.

    Attributes:
        part: What was looked at.
        good: Whether it can be used.
        text: What it is, or what is wrong with it.
    """

    part: str
    good: bool
    text: str


def check(path: Path | None, *, upstream: bool) -> Iterator[Finding]:
    """Look at the configuration and at all that it names.

    Args:
        path: The configuration file; without one, the environment alone.
        upstream: Make one real call to TOEFL Access as well.
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
    yield from _ledger(settings)
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
    from shim.compare.services import ComparisonError, Services  # noqa: PLC0415 - the gateway does not call the old service

    try:
        Services(settings)
    except ComparisonError as error:
        yield from _wrong("legacy", error)
    else:
        yield Finding("legacy", good=True, text=f"{source.url} is asked as {source.wsdl.name} says")


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
        quota = SpoolQuota(settings.spool.max_bytes, settings.spool.folder)
        with Client(settings.upstream, quota).fetch(query, authcode) as file:
            return Finding("upstream", good=True, text=f"answered, with {file.records} records of the last minute")
    except GatewayError as error:
        return Finding("upstream", good=False, text=error.in_full)


def _ledger(settings: Config) -> Iterator[Finding]:
    from shim.ledger.store import FAILURES, AbsentError, Ledger  # noqa: PLC0415 - the gateway must not load SQLAlchemy

    kept, folder = settings.ledger, settings.ledger.folder
    if kept.url is None or folder is None:
        yield Finding("ledger", good=True, text="none: set ledger.url to know who calls")
        return
    ledger = Ledger(kept.url.get_secret_value())
    try:
        ledger.check()
    except AbsentError as error:
        yield Finding("ledger", good=True, text=str(error))
    except FAILURES as error:
        yield Finding("ledger", good=False, text=ledger.reason(error))
    else:
        yield Finding("ledger", good=True, text="can be written to")
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        yield Finding("ledger", good=False, text=f"the journal cannot be made in {there}")
    if kept.key_file is not None and not os.access(kept.key_file, os.R_OK):
        yield Finding("ledger", good=False, text=f"the key cannot be read from {kept.key_file}")


def _wrong(part: str, error: Exception) -> Iterator[Finding]:
    for reason in str(error).splitlines():
        yield Finding(part, good=False, text=reason)
