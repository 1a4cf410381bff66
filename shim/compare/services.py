"""Does TOEFL Access answer as the old service does? One range is asked of both.

As a program it compares one call that a gateway has answered: what was asked comes as
JSON from standard input, and what was found, as a line in the log, goes to standard output.
"""

import json
import resource
import signal
import sys
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, Final

from shim import config, errors, log
from shim.compare.comparison import Comparison, NotScoresError, Records
from shim.compare.legacy import Legacy, LegacyError, days, whole_days
from shim.config import AuthcodeSettings, Config, ContractSettings, ShadowSettings, SpoolSettings, UpstreamSettings
from shim.contracts import contract
from shim.contracts.contract import ContractError
from shim.errors import GatewayError
from shim.query import ScoreQuery
from shim.spool import SpoolQuota
from shim.upstream.authcode import AuthcodeError
from shim.upstream.client import Client
from shim.upstream.stored_authcode import StoredAuthcode

_MEMORY: Final = 2 * 1024 * 1024 * 1024


class ComparisonError(Exception):
    """The services could not be compared; the message says why, and holds no value of a score."""


class Services:
    """The old service and TOEFL Access, with the authcode for each."""

    def __init__(self, settings: Config, authcode: str = "", operation: str = "") -> None:
        """Take the configuration.

        Args:
            settings: The configuration.
            authcode: The name of the authcode; the first if it is empty.
            operation: The operation of the old service, if it has one of that name.

        Raises:
            ComparisonError: It does not say all that is needed.
        """
        source = settings.legacy
        assert source is not None  # noqa: S101 - who asks for a comparison has said with what
        try:
            stored = [one for one in settings.authcodes if authcode in ("", one.name)]
            if not stored:
                raise ComparisonError("there is no such authcode in the configuration")
            self._authcode = self._credentials = StoredAuthcode(stored[0])
            if source.authcode_file is not None:
                self._credentials = StoredAuthcode(AuthcodeSettings(name="legacy", file=source.authcode_file))
            described = contract.from_settings(ContractSettings(wsdl=source.wsdl, mapping=source.mapping))
            there = settings.upstream.model_copy(update={"url": source.url})
            self._legacy = Legacy(described, source.wsdl, there, operation)
        except (AuthcodeError, ContractError, LegacyError) as error:
            raise ComparisonError(str(error)) from error
        self._client = Client(settings.upstream, SpoolQuota(settings.spool.max_bytes, settings.spool.folder))

    def days(self, first: date, last: date) -> Iterator[ScoreQuery]:
        """What to ask for all scores of some days, in the zone of the operation, day by day.

        Raises:
            ComparisonError: The last is before the first.
        """
        if last < first:
            raise ComparisonError("--to is before --from")
        start, end = whole_days(first, last, self._legacy.zone)
        return self.parts(self._legacy.query(start, end))

    def parts(self, query: ScoreQuery) -> Iterator[ScoreQuery]:
        """A query day by day."""
        return days(query, self._legacy.zone)

    def compare(self, queries: Iterable[ScoreQuery]) -> Comparison:
        """Ask both, query by query, and hold no more than the records of one.

        Raises:
            ComparisonError: One of them does not answer with scores.
        """
        found = Comparison()
        for query in queries:
            try:
                before = self._ask_legacy(query)
                rest = self._ask_rest(query)
                found.add(before, rest, self._ask_legacy(query))
            except LegacyError as error:
                raise ComparisonError(f"{query.start:%Y-%m-%d}: the legacy service: {error}") from error
            except GatewayError as error:
                raise ComparisonError(f"{query.start:%Y-%m-%d}: {error.with_advice}") from error
            except NotScoresError as error:
                raise ComparisonError(f"{query.start:%Y-%m-%d}: TOEFL Access answered no score records") from error
        return found

    def _ask_legacy(self, query: ScoreQuery) -> Records:
        return self._legacy.fetch(query, *self._credentials.current.halves)

    def _ask_rest(self, query: ScoreQuery) -> Records:
        with self._authcode.use(lambda authcode: self._client.fetch(query, authcode.value)) as file:
            return Records.read(file.spool)


def _of_call(job: dict[str, Any]) -> dict[str, object]:
    """Compare what a call asked for, and tell it in the fields of the log."""
    # As the gateway has them: neither the file nor the environment is read again.
    parts = job["settings"]
    settings = Config.model_construct(
        upstream=UpstreamSettings(**parts["upstream"]),
        spool=SpoolSettings(**parts["spool"]),
        authcodes=tuple(AuthcodeSettings(**one) for one in parts["authcodes"]),
        legacy=config.LegacySettings(**parts["legacy"]),
        shadow=ShadowSettings(**parts["shadow"]),
    )
    # Its default is to end the process, wherever it waits.
    signal.alarm(settings.shadow.time_limit)
    start, end = (datetime.fromisoformat(job[name]) for name in ("start", "end"))
    query = ScoreQuery(start, end, job["type"], job["reportby"])
    try:
        services = Services(settings, job["authcode"], job["operation"])
        found = services.compare(services.parts(query))
    except ComparisonError as error:
        return {"outcome": "failed", "note": str(error)}
    differing = ", ".join(f"{name} {records}" for name, records in found.different.items())
    return {"outcome": found.outcome, "records": found.rest, "note": differing}


def main() -> None:
    """Compare the call on standard input."""
    log.configure()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    try:
        told = _of_call(json.load(sys.stdin))
    except Exception as error:  # noqa: BLE001 - its text could hold anything
        told = {"outcome": "failed", "note": errors.location(error)}
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
