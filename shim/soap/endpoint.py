"""The WSGI endpoint of one contract: a SOAP call in, a score file or a fault out."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from shim import errors, telemetry
from shim.query import ScoreFile, ScoreQuery
from shim.soap import envelope, records
from shim.soap.contract import Contract
from shim.soap.exchange import Exchange
from shim.soap.request import action, check_media_type, read_body
from shim.soap.service import LegacyService

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Fetch = Callable[[ScoreQuery], ScoreFile]
"""Fetches the score file of a query."""


class Endpoint:
    """Answers the SOAP calls of one contract."""

    def __init__(self, contract: Contract, fetch: Fetch, *, max_request: int) -> None:
        """Compile the contract.

        Args:
            contract: The operations.
            fetch: Where score files come from.
            max_request: Largest request in bytes.
        """
        self._service = LegacyService(contract)
        self._fetch = fetch
        self._max_request = max_request

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        exchange = Exchange(environ)
        try:
            return self._answer(exchange, start_response)
        except errors.GatewayError as error:
            return exchange.fault(error, start_response)
        except Exception as error:  # noqa: BLE001 - our own bug is answered with a fault as well
            return exchange.fault(errors.INTERNAL.error(note=telemetry.where(error)), start_response)

    def _answer(self, exchange: Exchange, start_response: "StartResponse") -> Iterable[bytes]:
        if exchange.environ["REQUEST_METHOD"] != "POST":
            raise errors.METHOD.error()
        check_media_type(exchange.content_type)
        exchange.body = read_body(exchange.environ, self._max_request)
        opened = envelope.parse(exchange.body, exchange.content_type)
        exchange.dialect = opened.dialect
        call = opened.call()
        operation = self._service.operation(call, action(exchange.environ))
        exchange.reply = operation.reply(call)
        exchange.note(operation=operation.name)

        def score_file(values: Mapping[str, str | None]) -> ScoreFile:
            query = operation.query(values)
            exchange.note(start=query.start.isoformat(), end=query.end.isoformat())
            file = self._fetch(query)
            if operation.meaning.records == "as-sent":
                return file
            file, cut = records.fit(file, operation.meaning.records)
            exchange.note(cut=cut or None)
            return file

        file = self._service.answer(call, operation, score_file)
        return exchange.scores(file, exchange.reply, start_response)
