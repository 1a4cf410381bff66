"""The legacy service and TOEFL Access: both are asked for one range, and their answers compared."""

from collections.abc import Iterable, Iterator
from datetime import date

from shim.compare.comparison import Comparison, NotScoresError, Records
from shim.compare.days import days_of, whole_days
from shim.compare.legacy import LegacyClient
from shim.compare.legacy_answer import LegacyError
from shim.config import AuthcodeSettings, ComparisonSettings, ContractSettings
from shim.contracts import contract
from shim.contracts.contract import ContractError
from shim.errors import GatewayError
from shim.query import ScoreQuery
from shim.spool import SpoolQuota
from shim.upstream.authcode import AuthcodeError
from shim.upstream.client import Client
from shim.upstream.stored_authcode import StoredAuthcode


class ComparisonError(Exception):
    """The services could not be compared; the message says why, without a value of a score record."""


class Services:
    """The legacy service and TOEFL Access, with the authcode for each."""

    def __init__(self, settings: ComparisonSettings, authcode: str = "", operation: str = "") -> None:
        """Set up a client of each.

        Args:
            settings: Both services, and the stored authcodes.
            authcode: The name of the authcode; the first if empty.
            operation: The operation of the legacy service; the first with credentials if it has none of this name.

        Raises:
            ComparisonError: An authcode or the contract cannot be used.
        """
        legacy = settings.legacy
        try:
            stored = [one for one in settings.authcodes if authcode in ("", one.name)]
            if not stored:
                raise ComparisonError(f"the configuration has no authcode {authcode}".rstrip())
            self._authcode = self._credentials = StoredAuthcode(stored[0])
            if legacy.authcode_file is not None:
                self._credentials = StoredAuthcode(AuthcodeSettings(name="legacy", file=legacy.authcode_file))
            described = contract.from_settings(ContractSettings(wsdl=legacy.wsdl, mapping=legacy.mapping))
            reached = settings.upstream.model_copy(update={"url": legacy.url})
            self._legacy = LegacyClient(described, legacy.wsdl, reached, operation)
        except (AuthcodeError, ContractError, LegacyError) as error:
            raise ComparisonError(str(error)) from error
        self._client = Client(settings.upstream, SpoolQuota(*settings.spool.quota))

    def days(self, first: date, last: date) -> Iterator[ScoreQuery]:
        """Return the queries for all scores of some days, day by day in the zone of the operation.

        Raises:
            ComparisonError: The last day is before the first.
        """
        if last < first:
            raise ComparisonError("--to is before --from")
        start, end = whole_days(first, last, self._legacy.zone)
        return self.parts(self._legacy.query(start, end))

    def parts(self, query: ScoreQuery) -> Iterator[ScoreQuery]:
        """Return a query day by day in the zone of the operation."""
        return days_of(query, self._legacy.zone)

    def compare(self, queries: Iterable[ScoreQuery]) -> Comparison:
        """Ask both services, query by query; hold no more than the records of one query.

        Raises:
            ComparisonError: One of the services does not answer with scores.
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
