"""What GET and HEAD find at a contract's addresses: the WSDL, the files that it imports, and a page for people."""

import posixpath
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from shim.contracts import discovery, served_wsdl
from shim.retirement.template import render
from shim.web import correlation
from shim.web.response import Document, respond_with_document

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_XML: Final = "text/xml; charset=utf-8"
_HTML: Final = "text/html; charset=utf-8"
# .NET asks for ``?singleWsdl`` to get everything in one file.
_WSDL_QUERIES: Final = frozenset({"wsdl", "singlewsdl"})


class Pages:
    """The documents of one contract, at the addresses and in the forms of ASMX."""

    def __init__(self, wsdl: Path, address: str, operations: Iterable[str]) -> None:
        """Render the documents, once; a page for people is rendered at each look.

        Args:
            wsdl: The WSDL.
            address: Where clients call the service.
            operations: The names of the operations.
        """
        self._address = address
        self._operations = tuple(operations)
        self._wsdl = served_wsdl.render(wsdl, address, all_ports=False)
        self._wsdl_of_all_ports = served_wsdl.render(wsdl, address, all_ports=True)
        self._discovery = discovery.render(self._wsdl, address)

    def at_service(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer at the address of the service: the document that the query asks for, else the page of the service."""
        query = _query(environ)
        if _WSDL_QUERIES & query.keys():
            return self.at_wsdl(environ, start_response)
        if "disco" in query:
            return _send(self._discovery, _XML, environ, start_response)
        return _send(self._page(query.get("op", [""])[0]), _HTML, environ, start_response)

    def at_wsdl(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer at the WSDL's own address."""
        body = self._wsdl_of_all_ports if _query(environ).get("ports") == ["all"] else self._wsdl
        return _send(body, _XML, environ, start_response)

    def _page(self, operation: str) -> bytes:
        """Return the page of an operation; of the service for any other word."""
        return render(
            "shim.web",
            "service.html",
            address=self._address,
            service=posixpath.splitext(posixpath.basename(self._address))[0],
            operations=self._operations,
            operation=operation if operation in self._operations else "",
        ).encode()


def imported(wsdl: Path, path: str) -> Iterator[tuple[str, "WSGIApplication"]]:
    """Return what answers for the files that a WSDL imports, each with its path.

    Args:
        wsdl: The WSDL.
        path: The path of the service; the files are beside it.
    """
    for name, body in served_wsdl.imports(wsdl).items():
        yield posixpath.join(posixpath.dirname(path), name), _document(body)


def _document(body: bytes) -> "WSGIApplication":
    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        return _send(body, _XML, environ, start_response)

    return answer


def _send(
    body: bytes, content_type: str, environ: "WSGIEnvironment", start_response: "StartResponse"
) -> Iterable[bytes]:
    document = Document(body, content_type)
    return respond_with_document(document, correlation.record_of(environ), environ, start_response)


def _query(environ: "WSGIEnvironment") -> dict[str, list[str]]:
    fields = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    return {name.lower(): values for name, values in fields.items()}
