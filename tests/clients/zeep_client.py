"""zeep as a legacy client."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Final

import zeep
from requests import Session
from zeep.proxy import ServiceProxy

from tests.clients.calls import USER, Client, Outcome
from tests.planted import PASSWORD


@contextmanager
def zeep_client(wsdl: str, port: str, **environment: str) -> Iterator[Client]:
    """Start a client of a port of the WSDL; it calls the WSDL's address, or that of ``GATEWAY``."""
    with Session() as session:
        client = zeep.Client(wsdl, transport=zeep.Transport(session=session))
        described = client.wsdl.services["TOEFLEdm"].ports[port]
        address = environment.get("GATEWAY", described.binding_options["address"])
        service = client.create_service(described.binding.name, address)
        yield _client(lambda operation, start, end: service[operation](*_parameters(operation, start, end)))


@contextmanager
def zeep_contracts(gateway: str, suffix: str) -> Iterator[Client]:
    """Start clients of the adopted WSDLs, which call their WSDLs' addresses; a call names the contract.

    Args:
        gateway: The address of the gateway.
        suffix: The end of the name of the port.
    """
    with Session() as session:
        transport = zeep.Transport(session=session)

        @cache
        def service(contract: str) -> ServiceProxy:
            client = zeep.Client(f"{gateway}/{contract}.wsdl?ports=all", transport=transport)
            ((name, description),) = client.wsdl.services.items()
            return client.bind(name, next(port for port in description.ports if port.endswith(suffix)))

        yield _client(lambda contract, start, end: _RESULTS[contract](service(contract), start, end))


_RESULTS: Final[dict[str, Callable[[ServiceProxy, str, str], bytes | None]]] = {
    "asmx": lambda service, start, end: service.getScoreFile(USER, PASSWORD, start, end),
    "bare": lambda service, start, end: service.FindScores(USER, PASSWORD, _moment(start), _moment(end)),
    "rpc": lambda service, start, end: service.listScores(USER, PASSWORD, start, end),
    "text": lambda service, start, end: _utf8(service.readScores(USER, PASSWORD, start, end)),
    "nested": lambda service, start, end: service.deliverScores(
        {"StartTime": _moment(start), "EndTime": _moment(end), "Program": "TOEFL"}
    ),
}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _utf8(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


def _client(call: Callable[[str, str, str], bytes | None]) -> Client:
    def client(operation: str, start: str, end: str) -> Outcome:
        try:
            return Outcome.result(call(operation, start, end))
        except zeep.exceptions.Fault as fault:
            return Outcome("fault", fault.message)

    return client


def _parameters(operation: str, start: str, end: str) -> tuple[object, ...]:
    if operation != "GetScores":
        return USER, PASSWORD, start, end
    return (
        {
            "StartDate": _moment(start),
            "EndDate": _moment(end),
            "Type": "TOEFL",
            "ReportBy": "scorelinkbyreportdate",
        },
    )
