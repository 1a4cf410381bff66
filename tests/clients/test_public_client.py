"""A client like the public ones, with only the host in the WSDL's address changed.

It uses zeep, reads the WSDL at its old path, passes arguments by position, and detects errors by one of four tests.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Final
from urllib.parse import urljoin

import pytest
import zeep
from requests import Session
from zeep.wsse.username import UsernameToken

from shim.sandbox import Faults, Sandbox, select
from tests.clients.calls import USER
from tests.gateway import Gateway
from tests.planted import PASSWORD

_FIRST, _LAST = date(2025, 4, 21), date(2025, 4, 22)
_DAYS: Final = {
    "MM/DD/YYYY": (f"{_FIRST:%m/%d/%Y}", f"{_LAST:%m/%d/%Y}"),
    "YYYY-MM-DD": (f"{_FIRST:%Y-%m-%d}", f"{_LAST:%Y-%m-%d}"),
    "dates": (_FIRST, _LAST),
}


@pytest.fixture(params=[None, UsernameToken(USER, PASSWORD), UsernameToken(USER, PASSWORD, use_digest=True)])
def client(request: pytest.FixtureRequest, gateway: Gateway) -> Iterator[zeep.Client]:
    wsdl = urljoin(gateway.url, "/TOEFLWebService/TOEFLEdm.wsdl")
    with Session() as session:
        yield zeep.Client(wsdl, transport=zeep.Transport(session=session), wsse=request.param)


@pytest.mark.parametrize(("start", "end"), _DAYS.values(), ids=_DAYS)
def test_scores_are_the_bytes_of_the_upstream(
    client: zeep.Client, sandbox: Sandbox, start: object, end: object
) -> None:
    days = datetime.fromisoformat("2025-04-21T00:00:00"), datetime.fromisoformat("2025-04-22T23:59:59")
    body = b"".join(select(sandbox.options, *days).chunks())
    assert body
    assert client.service.getScorelinkDataByReportDate(USER, PASSWORD, start, end) == body


def test_an_empty_range_is_none(client: zeep.Client, sandbox: Sandbox) -> None:
    assert client.service.getScorelinkDataByReportDate(USER, PASSWORD, "04/21/2024", "04/22/2024") is None
    assert sandbox.requests[-1].status == 200


def test_a_refused_authcode_is_an_error_by_all_four_tests(client: zeep.Client, sandbox: Sandbox) -> None:
    sandbox.faults = Faults(status=401)
    statuses: list[int] = []
    client.transport.session.hooks["response"].append(lambda answer, **_: statuses.append(answer.status_code))
    result = client.service.getScorelinkDataByReportDate(USER, PASSWORD, *_DAYS["MM/DD/YYYY"])
    assert statuses == [200]
    text = result.decode("ascii")
    assert text.startswith("Logon failure")
    assert text.endswith("Please check your username, password.")
    assert "is not authenticated" in text
    assert "user name or password is incorrect" in text
