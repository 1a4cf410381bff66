"""What a GET of the service's address finds: a page for people, which leads programs to the WSDL."""

import re
from typing import Final
from urllib.parse import urljoin

import pytest
from lxml import etree

from tests.asmx.judge import Judge
from tests.asmx.wire import Response, exchange

_PATH: Final = "/TOEFLWebService/TOEFLEdm.asmx"
_DISCO: Final = "http://schemas.xmlsoap.org/disco/"
_CONTRACT: Final = "http://schemas.xmlsoap.org/disco/scl/"
_LINK: Final = re.compile(r'<link rel="alternate" type="text/xml" href="([^"]+)"')


def _get(port: int, query: str = "") -> Response:
    head = f"GET {_PATH}{query} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    (response,) = exchange(port, head.encode())
    assert response.status == 200
    return response


@pytest.mark.parametrize("of", ["service", "gateway"])
def test_the_head_of_the_page_links_the_discovery_document(of: str, judge: Judge) -> None:
    port: int = getattr(judge, of)
    page = _get(port)
    assert page.headers["content-type"].startswith("text/html")
    (link,) = _LINK.findall(page.body.decode())
    address = f"http://127.0.0.1:{port}{_PATH}"
    assert urljoin(address, link) == f"{address}?disco"


@pytest.mark.parametrize("of", ["service", "gateway"])
@pytest.mark.parametrize("query", ["?disco", "?DISCO"])
def test_the_discovery_document_names_the_wsdl(query: str, of: str, judge: Judge) -> None:
    port: int = getattr(judge, of)
    document = _get(port, query)
    assert document.headers["content-type"].startswith("text/xml")
    root = etree.fromstring(document.body)
    assert root.tag == f"{{{_DISCO}}}discovery"
    (contract,) = root.findall(f"{{{_CONTRACT}}}contractRef")
    address = f"http://127.0.0.1:{port}{_PATH}"
    assert (contract.get("ref", "").lower(), contract.get("docRef")) == (f"{address}?wsdl".lower(), address)


@pytest.mark.parametrize("operation", ["GetScores", "getScorelinkDataByReportDate", "getScorelinkData", "getEDIData"])
def test_an_operation_has_a_page(operation: str, judge: Judge) -> None:
    page = _get(judge.gateway, f"?op={operation}")
    assert page.headers["content-type"].startswith("text/html")
    assert operation in page.body.decode()
