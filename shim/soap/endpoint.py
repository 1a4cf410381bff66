"""The WSGI endpoint of one contract: a SOAP call in, a score file or a fault out."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from shim import errors, telemetry
from shim.access.proof import Credentials
from shim.query import ScoreFile, ScoreQuery
from shim.soap import credentials, envelope, records
from shim.soap.contract import Contract
from shim.soap.exchange import Exchange
from shim.soap.request import action, check_media_type, read_body
from shim.soap.service import LegacyService

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Admitted(NamedTuple):
    """Somebody who may call.

    Attributes:
        name: Its name in the log.
        fetch: Fetches the score file of a query for it.
    """

    name: str
    fetch: Callable[[ScoreQuery], ScoreFile]


Admit = Callable[["WSGIEnvironment", tuple[Credentials, ...]], Admitted]
"""Tells who sends a request with these credentials; raises ``CallerError`` for nobody who may call."""


class Endpoint:
    """Answers the SOAP calls of one contract."""

    def __init__(self, contract: Contract, admit: Admit, *, max_request: int) -> None:
        """Compile the contract.

        Args:
            contract: The operations.
            admit: Who may call.
            max_request: Largest request in bytes.
        """
        self._service = LegacyService(contract)
        self._admit = admit
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
            authorization = exchange.environ.get("HTTP_AUTHORIZATION", "")
            offered = credentials.offered(authorization, call.security, operation.meaning, values)
            caller = self._admit(exchange.environ, offered)
            exchange.note(caller=caller.name)
            query = operation.query(values)
            exchange.note(start=query.start.isoformat(), end=query.end.isoformat())
            file = caller.fetch(query)
            if operation.meaning.records == "as-sent":
                return file
            file, cut = records.fit(file, operation.meaning.records)
            exchange.note(cut=cut or None)
            return file

        file = self._service.answer(call, operation, score_file)
        return exchange.scores(file, exchange.reply, start_response)
