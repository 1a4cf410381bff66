"""The legacy service, while it lives: called with zeep, by the WSDL and the mapping of its contract."""

import io
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

import requests
import zeep
from zeep.exceptions import Error
from zeep.wsdl.bindings.soap import SoapBinding
from zeep.wsse import UsernameToken
from zeep.xsd import ComplexType, Element

from shim.compare.comparison import NotScoresError, Records
from shim.compare.legacy_answer import LegacyError, describe_text, read_result
from shim.config import UpstreamSettings
from shim.contracts.contract import Contract
from shim.contracts.mapping import FixedValue, ValueSource, parameter_of
from shim.errors import GatewayError
from shim.query import ScoreQuery


class LegacyClient:
    """One operation of the legacy service."""

    def __init__(self, contract: Contract, wsdl: Path, upstream: UpstreamSettings, operation: str = "") -> None:
        """Choose the operation, and set up its client.

        Args:
            contract: What the WSDL means.
            wsdl: The WSDL.
            upstream: The address of the service, with the limits, CA file and proxy of TOEFL Access.
            operation: The operation to call. If the service has none of this name: the first one that the mapping
                answers, preferably one with credentials among its parameters.

        Raises:
            LegacyError: The mapping answers no operation.
        """
        answered = [one for one in contract.operations.values() if not one.mapping.unavailable]
        ranked = sorted(answered, key=lambda one: (one.name != operation, one.mapping.credentials is None))
        if not ranked:
            raise LegacyError("its mapping answers no operation")
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
        """The zone of the operation's days."""
        return self._operation.mapping.zone or UTC

    def query(self, start: datetime, end: datetime) -> ScoreQuery:
        """Return the query for all scores from one moment to another, in UTC without a zone."""
        mapping = self._operation.mapping
        return ScoreQuery(start, end, _fixed(mapping.type, "TOEFL"), _fixed(mapping.reportby, "scorelinkbyreportdate"))

    def fetch(self, query: ScoreQuery, user: str, password: str) -> Records:
        """Return the records that the service answers.

        Args:
            query: What to ask for.
            user: The user name.
            password: The password.

        Raises:
            LegacyError: The service cannot be asked for this, does not answer, or answers no score file.
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
        scores = read_result(answer.status_code, answer.content, self._operation.description)
        try:
            return Records.read(io.BytesIO(scores))
        except NotScoresError:
            raise LegacyError(describe_text(scores)) from None

    def _values(self, query: ScoreQuery) -> dict[str, str]:
        """Return the parameters whose meaning is exactly the query."""
        mapping, dates = self._operation.mapping, self._operation.dates
        words = ((mapping.type, query.type), (mapping.reportby, query.reportby))
        named = {name: word for source, word in words if (name := parameter_of(source))}
        for start, end in zip(dates.write(query.start), dates.write(query.end), strict=True):
            values = {mapping.startdate: start, mapping.enddate: end, **named}
            try:
                if self._operation.query(values) == query:
                    return values
            except GatewayError:
                continue
        raise LegacyError(f"{self._operation.name} cannot be asked for this range or kind of scores")


def _fixed(source: ValueSource, otherwise: str) -> str:
    return source.value if isinstance(source, FixedValue) else otherwise


def _arguments(element: Any, values: Mapping[str, str]) -> dict[str, Any]:  # noqa: ANN401
    """Put the values into the elements of the WSDL, which may be nested."""
    arguments: dict[str, Any] = {}
    for name, part in element.type.elements:
        if isinstance(part, Element) and isinstance(part.type, ComplexType):
            arguments[name] = _arguments(part, values)
        elif name in values:
            arguments[name] = values[name]
    return arguments


class _Transport(zeep.Transport):  # type: ignore[misc]
    def post(self, address: str, message: bytes, headers: Mapping[str, str]) -> requests.Response:
        """Send a call; do not follow a redirect, which would take the credentials elsewhere."""
        return self.session.post(  # type: ignore[no-any-return]
            address, data=message, headers=headers, timeout=self.operation_timeout, allow_redirects=False
        )


def _transport(upstream: UpstreamSettings) -> _Transport:
    session = requests.Session()
    session.trust_env = False
    session.verify = str(upstream.ca_file) if upstream.ca_file is not None else True
    session.proxies = {"http": upstream.proxy, "https": upstream.proxy} if upstream.proxy else {}
    return _Transport(session=session, operation_timeout=(upstream.connect_timeout, upstream.deadline))
