"""The old service, while it lives: called with zeep, by the WSDL and the mapping of its contract.

What goes wrong is told without a word that the service sent: its sentences may hold a
user name, and its faults anything.
"""

import base64
import binascii
import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Final

import requests
import zeep
from lxml import etree
from zeep.exceptions import Error
from zeep.wsdl.bindings.soap import SoapBinding
from zeep.wsse import UsernameToken
from zeep.xsd import ComplexType, Element

from shim.compare.comparison import NotScoresError, Records
from shim.config import UpstreamSettings
from shim.contracts.contract import Contract
from shim.contracts.dates import DateForm, to_utc
from shim.contracts.mapping import FixedValue
from shim.errors import GatewayError
from shim.query import ScoreQuery

_SECOND: Final = timedelta(seconds=1)


class LegacyError(Exception):
    """The old service did not give a score file; the message says why."""


class Legacy:
    """One operation of the old service."""

    def __init__(self, contract: Contract, wsdl: Path, upstream: UpstreamSettings, operation: str = "") -> None:
        """Take its contract.

        Args:
            contract: What its WSDL means.
            wsdl: The WSDL.
            upstream: Its address, and how TOEFL Access is reached, which is how it is reached as well.
            operation: The one to call; if there is none of the name, the first that is answered, with credentials
                among its parameters if there is one.

        Raises:
            LegacyError: It has no such operation.
        """
        answered = [one for one in contract.operations.values() if not one.mapping.unavailable]
        ranked = sorted(answered, key=lambda one: (one.name != operation, one.mapping.credentials is None))
        if not ranked:
            raise LegacyError("its mapping says of no operation how to call it")
        self._operation = ranked[0]
        self._url = upstream.url
        self._client = zeep.Client(
            str(wsdl), transport=_transport(upstream), settings=zeep.Settings(raw_response=True, forbid_dtd=True)
        )
        bindings = self._client.wsdl.bindings.items()
        self._binding, self._called = next(
            (name, binding.get(self._operation.name))
            for name, binding in bindings
            if isinstance(binding, SoapBinding) and self._operation.name in binding.all()
        )

    @property
    def zone(self) -> tzinfo:
        """In which its days begin and end."""
        return self._operation.mapping.zone or UTC

    def query(self, start: datetime, end: datetime) -> ScoreQuery:
        """What is asked for from one moment, UTC, to another."""
        mapping = self._operation.mapping
        return ScoreQuery(start, end, _fixed(mapping.type, "TOEFL"), _fixed(mapping.reportby, "scorelinkbyreportdate"))

    def fetch(self, query: ScoreQuery, user: str, password: str) -> Records:
        """Ask it.

        Raises:
            LegacyError: It cannot be asked this, does not answer, or answers no score file.
        """
        mapping = self._operation.mapping
        values = self._values(query)
        if mapping.credentials is not None:
            values |= dict(zip(mapping.credentials, (user, password), strict=True))
        self._client.wsse = UsernameToken(user, password) if mapping.credentials is None else None
        service = self._client.create_service(self._binding, self._url)
        try:
            answer = service[self._operation.name](**_arguments(self._called.input.body, values))
        except (Error, requests.RequestException) as error:
            raise LegacyError(f"it could not be called ({type(error).__name__})") from error
        scores = self._result(answer)
        try:
            return Records.read(io.BytesIO(scores))
        except NotScoresError:
            raise LegacyError(_sentence(scores)) from None

    def _values(self, query: ScoreQuery) -> dict[str, str]:
        """The parameters that mean just this query."""
        mapping = self._operation.mapping
        for form in mapping.dates:
            values = {
                mapping.startdate: _written(query.start, form, self.zone),
                mapping.enddate: _written(query.end, form, self.zone),
            }
            words = ((mapping.type, query.type), (mapping.reportby, query.reportby))
            values |= {source: word for source, word in words if isinstance(source, str)}
            try:
                if self._operation.query(values) == query:
                    return values
            except GatewayError:
                continue
        raise LegacyError(f"{self._operation.name} cannot be asked for this range or kind of scores")

    def _result(self, answer: requests.Response) -> bytes:
        try:
            root = etree.fromstring(
                answer.content, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
            )
        except etree.XMLSyntaxError:
            raise LegacyError(f"it answered HTTP {answer.status_code} and no XML") from None
        element = root.find("{*}Body")
        if element is None or element.find("{*}Fault") is not None or answer.status_code != requests.codes.ok:
            what = "a SOAP fault" if element is not None else "no SOAP"
            raise LegacyError(f"it answered HTTP {answer.status_code} and {what}")
        described = self._operation.description
        for depth, name in enumerate(described.result_path):
            inner = element.find(f"{{*}}{name.local}")
            if inner is None and depth and not len(element):
                return b""  # the old service leaves the result out where there are no scores
            if inner is None:
                raise LegacyError("its answer has no result in the place that its WSDL says")
            element = inner
        text = "".join(map(str, element.itertext()))
        if described.result_type == "string":
            return text.encode()
        try:
            return base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError):
            raise LegacyError("its result is no base64") from None


def whole_days(first: date, last: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """The first second of a day and the last second of another, UTC."""
    return to_utc(first.isoformat(), ("YYYY-MM-DD",), "start", zone), to_utc(
        last.isoformat(), ("YYYY-MM-DD",), "end", zone
    )


def days(query: ScoreQuery, zone: tzinfo) -> Iterator[ScoreQuery]:
    """A query in parts of a day of a zone each, in order; together they are all of it."""
    start = query.start
    while start < query.end:
        day = (start + _SECOND).replace(tzinfo=UTC).astimezone(zone).date()
        end = min(whole_days(day, day, zone)[1], query.end)
        # Nobody can ask for a single second.
        end = query.end if query.end - end <= _SECOND else end
        yield replace(query, start=start, end=end)
        start = end + _SECOND


def _written(moment: datetime, form: DateForm, zone: tzinfo) -> str:
    if form == "ISO 8601":
        return moment.isoformat()
    day = moment.replace(tzinfo=UTC).astimezone(zone).date()
    return day.isoformat() if form == "YYYY-MM-DD" else f"{day:%m/%d/%Y}"


def _fixed(source: str | FixedValue, otherwise: str) -> str:
    return source.value if isinstance(source, FixedValue) else otherwise


def _arguments(element: Any, values: Mapping[str, str]) -> dict[str, Any]:  # noqa: ANN401
    """The values in the elements of the WSDL, which may be nested."""
    arguments: dict[str, Any] = {}
    for name, part in element.type.elements:
        if isinstance(part, Element) and isinstance(part.type, ComplexType):
            arguments[name] = _arguments(part, values)
        elif name in values:
            arguments[name] = values[name]
    return arguments


def _sentence(result: bytes) -> str:
    """What its result says instead of scores, by the four tests of its public clients."""
    text = result.decode("utf-8", "replace").strip()
    if (
        text.startswith("Logon failure")
        or text.endswith("Please check your username, password.")
        or "is not authenticated" in text
        or "user name or password is incorrect" in text
    ):
        return "it refused the log-on, with a sentence in its result"
    return "its result is no score file"


class _Transport(zeep.Transport):  # type: ignore[misc]
    def post(self, address: str, message: bytes, headers: Mapping[str, str]) -> requests.Response:
        """Send a call; a redirect would take the credentials elsewhere, and is not followed."""
        return self.session.post(  # type: ignore[no-any-return]
            address, data=message, headers=headers, timeout=self.operation_timeout, allow_redirects=False
        )


def _transport(upstream: UpstreamSettings) -> _Transport:
    session = requests.Session()
    session.trust_env = False
    session.verify = str(upstream.ca_file) if upstream.ca_file is not None else True
    session.proxies = {"http": upstream.proxy, "https": upstream.proxy} if upstream.proxy else {}
    return _Transport(session=session, operation_timeout=(upstream.connect_timeout, upstream.deadline))
