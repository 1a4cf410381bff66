"""Each client sends the form that its name says; otherwise the other tests could all test one form."""

from typing import Final
from urllib.parse import urlsplit

import pytest

from tests.clients import calls
from tests.clients.conftest import CLIENTS
from tests.clients.tap import tapped
from tests.gateway import Gateway

_SENT: Final = {
    "wcf-soap11": [b"Content-Type: text/xml; charset=utf-8\r\n", b'SOAPAction: "*"', b"Expect: 100-continue"],
    "wcf-soap11-utf16": [b"Content-Type: text/xml; charset=utf-16\r\n", b"\r\n\r\n\xff\xfe<\0?\0"],
    "wcf-soap11-utf16be": [b"Content-Type: text/xml; charset=utf-16BE\r\n", b"\r\n\r\n\xfe\xff\0<\0?"],
    "wcf-soap11-addressing": [b"Content-Type: text/xml;", b'<MessageID xmlns="http://www.w3.org/2005/08/add'],
    "wcf-soap12": [b"Content-Type: application/soap+xml; charset=utf-8\r\n", b"\r\n\r\n\xef\xbb\xbf<?xml"],
    "wcf-soap12-utf16": [b"Content-Type: application/soap+xml; charset=utf-16\r\n", b"\r\n\r\n\xff\xfe<\0"],
    "wcf-soap12-utf16be": [b"Content-Type: application/soap+xml; charset=utf-16BE\r\n", b"\r\n\r\n\xfe\xff\0<"],
    "wcf-soap12-addressing": [b"Content-Type: application/soap+xml;", b"<a:MessageID>", b"2005/08/addressing"],
    "wcf-soap12-addressing-2004": [b"Content-Type: application/soap+xml;", b"ws/2004/08/addressing"],
    "wcf-message-contract": [b'SOAPAction: "https://ets.org/edm/webservices/GetScores"\r\n'],
    "asmx-soap11": [b"Content-Type: text/xml;", b"MS Web Services Client Protocol"],
    "asmx-soap12": [b'Content-Type: application/soap+xml; charset=utf-8; action="https://ets.org/'],
    "asmx-own-namespace": [b'<GetScores xmlns="http://example.org/registrar/">'],
    "php-soap11": [b"Content-Type: text/xml;", b"<ns1:StartDate>"],
    "php-soap12": [b"Content-Type: application/soap+xml;", b"<ns1:StartDate>"],
    "php-soap11-gzip": [b"Content-Encoding: gzip\r\n", b"\r\n\r\n\x1f\x8b"],
    "php-soap12-gzip": [b"Content-Encoding: gzip\r\n", b"\r\n\r\n\x1f\x8b"],
    "php-soap11-deflate": [b"Content-Encoding: deflate\r\n"],
    "php-soap11-plain": [b'SOAPAction: "urn:example:of-its-own#GetScores"', b'<StartDate xsi:type="xsd:string">'],
    "php-soap12-plain": [b'action="urn:example:of-its-own#GetScores"', b'<StartDate xsi:type="xsd:string">'],
    "php-own-namespace": [b'="http://example.org/registrar/"'],
}
"""By client: parts of what it must send."""


@pytest.mark.parametrize("name", _SENT)
def test_a_client_sends_the_form_that_its_name_says(
    request: pytest.FixtureRequest, gateway: Gateway, name: str
) -> None:
    fixture, form = CLIENTS[name]
    start: calls.Starter = request.getfixturevalue(fixture)
    address = urlsplit(gateway.url)
    with tapped(address.netloc) as tap:
        way = address._replace(netloc=tap.address).geturl()
        with start(*form.split(), GATEWAY=way) as client:
            assert client(*calls.GET_SCORES).kind == "scores"
    assert [part for part in _SENT[name] if part not in tap.received] == []
