"""Envelopes, requests and replies for the tests of the legacy face."""

import functools
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

from lxml import etree

from shim.config import SHIPPED
from shim.contracts import contract
from shim.contracts.contract import Contract
from shim.query import ScoreFile, ScoreQuery
from shim.wire.dialect import Version

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

NAMESPACE: Final = "https://ets.org/edm/webservices/"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
WSDL: Final = SHIPPED / "TOEFLEdm.wsdl"
MAPPING: Final = SHIPPED / "TOEFLEdm.toml"

GUIDE: Final = {
    "StartDate": "2025-04-21T16:45:03",
    "EndDate": "2025-04-22T16:52:13",
    "Type": "TOEFL",
    "ReportBy": "scorelinkbyreportdate",
}
"""The values of the vendor's guide."""


def elements(values: dict[str, str] | None = None) -> str:
    """The parameters as elements."""
    return "".join(f"<{name}>{value}</{name}>" for name, value in (GUIDE if values is None else values).items())


def get_scores(parameters: str | None = None, *, namespace: str = NAMESPACE) -> str:
    """The body's element as the guide's client sends it."""
    inner = elements() if parameters is None else parameters
    return f'<GetScores xmlns="{namespace}"><request>{inner}</request></GetScores>'


def envelope(
    body: str | None = None, *, version: Version = Version.SOAP_11, headers: str = "", declaration: str = ""
) -> str:
    """An envelope around the body's content; the prefix of SOAP is ``s``, of XML Schema instances ``xsi``."""
    content = get_scores() if body is None else body
    header = f"<s:Header>{headers}</s:Header>" if headers else ""
    return (
        f'{declaration}<s:Envelope xmlns:s="{version.namespace}" xmlns:xsi="{XSI}">'
        f"{header}<s:Body>{content}</s:Body></s:Envelope>"
    )


@functools.cache
def shipped() -> Contract:
    """The contract that comes with the package."""
    return contract.load(WSDL, MAPPING)


def changed(folder: Path, *changes: tuple[str, str], mapping: str | None = None) -> tuple[Path, Path]:
    """Write the shipped WSDL with texts replaced, and a mapping: by default of ``GetScores`` alone."""
    text = WSDL.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return written(folder, text, mapping)


def written(folder: Path, wsdl: str, mapping: str | None = None) -> tuple[Path, Path]:
    """Write a WSDL, and a mapping: by default of ``GetScores`` alone."""
    path = folder / "legacy.wsdl"
    path.write_text(wsdl, encoding="utf-8")
    path.with_suffix(".toml").write_text(GET_SCORES_MAPPING if mapping is None else mapping, encoding="utf-8")
    return path, path.with_suffix(".toml")


GET_SCORES_MAPPING: Final = """\
[operations.GetScores]
startdate = "StartDate"
enddate   = "EndDate"
type      = "Type"
reportby  = "ReportBy"
"""


class Upstream:
    """Gives the same bytes to every query, and keeps the queries and the spools."""

    def __init__(self, data: bytes = b"synthetic") -> None:
        self.data = data
        self.queries: list[ScoreQuery] = []
        self.spools: list[io.BytesIO] = []

    def __call__(self, query: ScoreQuery) -> ScoreFile:
        self.queries.append(query)
        self.spools.append(io.BytesIO(self.data))
        return ScoreFile(self.spools[-1], len(self.data), records=1)


@dataclass(frozen=True)
class Reply:
    """What a WSGI application answered."""

    status: str
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> int:
        return int(self.status.partition(" ")[0])

    @property
    def root(self) -> etree._Element:
        return etree.fromstring(self.body)

    @property
    def content(self) -> etree._Element:
        """The element in the SOAP body."""
        (element,) = self.root[-1]
        return element

    @property
    def fault(self) -> str:
        """The text of a fault."""
        assert etree.QName(self.content).localname == "Fault"
        found = self.content.findtext("faultstring") or self.content.findtext(".//{*}Text")
        assert found is not None
        return found

    @property
    def slug(self) -> str:
        """The reason that a fault names."""
        named = re.search(r" \(([a-z0-9-]+); request [0-9a-f]{16}\)$", self.fault)
        assert named is not None
        return named[1]


def request(body: bytes = b"", method: str = "POST", /, **changes: object) -> dict[str, object]:
    """A WSGI environment; a change to ``None`` takes a key away."""
    environ: dict[str, object] = {
        "REQUEST_METHOD": method,
        "CONTENT_TYPE": "text/xml; charset=utf-8",
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_ADDR": "127.0.0.1",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "wsgi.input": io.BytesIO(body),
        **changes,
    }
    setup_testing_defaults(environ)
    return {name: value for name, value in environ.items() if value is not None}


def send(application: "WSGIApplication", environ: dict[str, object]) -> Reply:
    """Call a WSGI application as a server does, with the standard library's judge between."""
    answered: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], _error: object = None, /
    ) -> Callable[[bytes], object]:
        answered.append((status, headers))
        return io.BytesIO().write

    chunks: Iterable[bytes] = validator(application)(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        chunks.close()  # type: ignore[attr-defined]
    ((status, headers),) = answered
    assert len(dict(headers)) == len(headers), "a header is there twice"
    return Reply(status, dict(headers), body)
