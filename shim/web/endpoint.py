"""The WSGI endpoint of one contract: a SOAP call in, a score file or a fault out."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from shim import errors
from shim.access.concurrency import ConcurrencyLimit
from shim.access.presented import Credentials
from shim.contracts import records
from shim.contracts.contract import Contract
from shim.contracts.service import LegacyService
from shim.query import ScoreFile, ScoreQuery
from shim.retirement.policy import RetirementPolicy
from shim.spool import SpoolQuota
from shim.web.exchange import Exchange, Observe
from shim.web.request import RequestLimits, action, check_media_type, read_body
from shim.wire import credentials, envelope

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


@dataclass(frozen=True, slots=True)
class House:
    """What all endpoints of a gateway share.

    Attributes:
        room: Where score files are held.
        places: How many calls are answered at a time.
        observe: Is told of every call that has ended.
        policy: Whether it still answers.
    """

    room: SpoolQuota
    places: ConcurrencyLimit
    observe: Observe
    policy: RetirementPolicy


class Endpoint:
    """Answers the SOAP calls of one contract."""

    def __init__(self, contract: Contract, admit: Admit, house: House, limits: RequestLimits) -> None:
        """Compile the contract.

        Args:
            contract: The operations.
            admit: Who may call.
            house: What all contracts of the gateway share.
            limits: What a request may take.
        """
        self._service = LegacyService(contract)
        self._admit = admit
        self._house = house
        self._limits = limits

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        exchange = Exchange(environ, self._house.observe)
        try:
            return self._answer(exchange, start_response)
        except errors.GatewayError as error:
            # Who calls after the end is told of that, whatever else is wrong with the call.
            return exchange.fault(self._house.policy.ended() or error, start_response)
        except Exception as error:  # noqa: BLE001 - our own bug is answered with a fault as well
            return exchange.fault(errors.INTERNAL.error(note=errors.location(error)), start_response)

    def _answer(self, exchange: Exchange, start_response: "StartResponse") -> Iterable[bytes]:
        if exchange.environ["REQUEST_METHOD"] != "POST":
            raise errors.METHOD.error()
        check_media_type(exchange.content_type)
        exchange.body = read_body(exchange.environ, self._limits)
        opened = envelope.parse(exchange.body, exchange.content_type)
        exchange.dialect = opened.dialect
        call = opened.call()
        operation = self._service.operation(call, action(exchange.environ))
        exchange.reply = operation.reply(call)
        exchange.note(operation=operation.name)
        # Not sooner: who calls an operation with errors in its result must find this one there as well.
        self._house.places.take()
        exchange.on_end = self._house.places.leave

        def score_file(values: Mapping[str, str | None]) -> ScoreFile:
            authorization = exchange.environ.get("HTTP_AUTHORIZATION", "")
            offered = credentials.offered(authorization, call.security, operation.meaning, values)
            caller = self._admit(exchange.environ, offered)
            exchange.note(caller=caller.name)
            ended = self._house.policy.ended()
            if ended is not None:
                raise ended
            brownout = self._house.policy.brownout(caller.name)
            if brownout is not None:
                if not brownout.dry_run:
                    raise brownout.error()
                exchange.note(dry_run=errors.BROWNOUT.slug)
            query = operation.query(values)
            exchange.note(start=query.start.isoformat(), end=query.end.isoformat())
            exchange.tell(type=query.type, reportby=query.reportby, format=query.format)
            began = time.monotonic()
            try:
                file = caller.fetch(query)
            finally:
                exchange.note(upstream=round(time.monotonic() - began, 6))
            if operation.meaning.records == "as-sent":
                return file
            file, cut = records.fit(file, operation.meaning.records, self._house.room)
            exchange.note(cut=cut or None)
            return file

        file = self._service.answer(call, operation, score_file)
        return exchange.scores(file, exchange.reply, start_response)
