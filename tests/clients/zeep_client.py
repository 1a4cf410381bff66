"""zeep as a legacy client."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import zeep
from requests import Session

from tests.clients.calls import USER, Client, Outcome
from tests.planted import PASSWORD


@contextmanager
def zeep_client(wsdl: str, port: str) -> Iterator[Client]:
    """A client of one port of a WSDL."""
    with Session() as session:
        service = zeep.Client(wsdl, transport=zeep.Transport(session=session)).bind("TOEFLEdm", port)

        def client(operation: str, start: str, end: str) -> Outcome:
            try:
                scores = service[operation](*_parameters(operation, start, end))
            except zeep.exceptions.Fault as fault:
                return Outcome("fault", fault.message)
            return Outcome("nothing") if scores is None else Outcome.scores(scores)

        yield client


def _parameters(operation: str, start: str, end: str) -> tuple[object, ...]:
    if operation != "GetScores":
        return USER, PASSWORD, start, end
    return (
        {
            "StartDate": datetime.fromisoformat(start),
            "EndDate": datetime.fromisoformat(end),
            "Type": "TOEFL",
            "ReportBy": "scorelinkbyreportdate",
        },
    )
