"""A legacy WSDL and its mapping to a ``Contract``: the operations, and what their parts mean."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from zeep import Settings
from zeep.exceptions import Error as ZeepError
from zeep.transports import Transport
from zeep.wsdl import Document
from zeep.wsdl.bindings.soap import SoapBinding
from zeep.xsd import Any as AnyElement
from zeep.xsd import ComplexType

from shim import errors
from shim.query import ScoreQuery
from shim.soap import mapping
from shim.soap.answer import Wrapper
from shim.soap.dates import Bound, to_utc
from shim.soap.envelope import Call
from shim.soap.mapping import Fixed, Meaning, Source


class ContractError(Exception):
    """A WSDL and its mapping do not make a contract; the message names every reason."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that an operation takes.

    Attributes:
        name: Local name of its element.
        type: Local name of its XML Schema type.
    """

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Attributes:
        name: Its name, and the local name of the element that wraps its parameters.
        namespace: Namespace of that element.
        soap_action: The action in the WSDL.
        parameters: By name; those nested in a request type stand here as well.
        response: Local name of the element that wraps the result.
        result: Local name of the result.
        meaning: What its parts mean.
    """

    name: str
    namespace: str
    soap_action: str
    parameters: Mapping[str, Parameter]
    response: str
    result: str
    meaning: Meaning

    def wrapper(self, call: Call) -> Wrapper:
        """The element for an answer to a call, in the names and the namespace that the call used."""
        # A message-contract client sends <GetScoresRequest> itself as the body and waits for its counterpart.
        response = f"{self.name}Response" if call.root == f"{self.name}Request" else self.response
        return Wrapper(response, self.result, call.namespace, call.qualified, f"{self.soap_action}Response")

    def query(self, values: Mapping[str, str | None]) -> ScoreQuery:
        """Translate parameters, by name.

        Raises:
            CallerError: REST cannot answer the operation, a value is missing, or a
                date is none.
        """
        meaning = self.meaning
        if meaning.unavailable:
            raise errors.UNAVAILABLE.error(meaning.unavailable)
        query = ScoreQuery(
            start=self._date(meaning.startdate, values, "start"),
            end=self._date(meaning.enddate, values, "end"),
            type=_value(meaning.type, values),
            reportby=_value(meaning.reportby, values),
            format=meaning.format,
        )
        if query.start >= query.end:
            raise errors.START_AFTER_END.error()
        return query

    def _date(self, name: str, values: Mapping[str, str | None], bound: Bound) -> datetime:
        text = _value(name, values)
        try:
            return to_utc(text, self.meaning.dates, bound)
        except ValueError as error:
            raise errors.BAD_DATE.error(name) from error


def _value(source: Source, values: Mapping[str, str | None]) -> str:
    if isinstance(source, Fixed):
        return source.value
    value = (values.get(source) or "").strip()
    if not value:
        raise errors.MISSING_PARAMETER.error(source)
    return value


@dataclass(frozen=True, slots=True)
class Contract:
    """The operations of one legacy service, by name."""

    operations: Mapping[str, Operation]

    def operation(self, root: str) -> Operation:
        """The operation that a body's element calls, in whatever namespace it stands.

        Raises:
            CallerError: None is called so.
        """
        found = self.operations.get(root) or self.operations.get(root.removesuffix("Request"))
        if found is None:
            raise errors.UNKNOWN_OPERATION.error()
        return found

    def check_action(self, action: str, operation: Operation) -> None:
        """Refuse an action that names another operation.

        Clients send none, ``*``, the WSDL's, or one of their own making, such as
        ``namespace/#GetScores``: only its last part tells anything.

        Raises:
            CallerError: It names another operation of this contract.
        """
        name = action.rstrip("/").rpartition("/")[2].rpartition("#")[2].rpartition(":")[2]
        if name != operation.name and name in self.operations:
            raise errors.ACTION.error()


class _NoNetwork(Transport):  # type: ignore[misc]
    """Reads files alone: what a WSDL imports is never fetched."""

    def _load_remote_data(self, url: str) -> NoReturn:
        raise ContractError(f"it imports {url}, which is not read from the network: put all into one file")


def load(wsdl: Path, mapping_path: Path) -> Contract:
    """Read a contract.

    Raises:
        ContractError: The WSDL cannot be read or served, or the mapping does not fit it.
    """
    try:
        meanings = mapping.load(mapping_path)
        document = Document(str(wsdl), _NoNetwork(), settings=Settings(strict=True, forbid_dtd=True))
        found = {operation.name: operation for operation in _operations(document)}
    except mapping.MappingError as error:
        raise ContractError(str(error)) from error
    except (ZeepError, OSError, ContractError, ValueError) as error:
        raise ContractError(f"{wsdl}: {error}") from error
    reasons = [f"no operation {name} in {wsdl}" for name in meanings if name not in found]
    operations = {}
    for name, operation in found.items():
        meaning = meanings.get(name, _UNMAPPED)
        if operation.output is None or not all(
            isinstance(message.body and message.body.type, ComplexType)
            for message in (operation.input, operation.output)
        ):
            reasons.append(f"{name}: {wsdl} does not wrap its parameters and its result in elements")
            continue
        parameters = {parameter.name: parameter for parameter in _leaves(operation.input.body.type)}
        reasons += [f"{name}: no parameter {part} in {wsdl}" for part in meaning.parameters if part not in parameters]
        results = list(_leaves(operation.output.body.type))
        if len(results) != 1 or results[0].type != "base64Binary":
            reasons.append(f"{name}: the result in {wsdl} is not one base64Binary")
            continue
        operations[name] = Operation(
            name=name,
            namespace=operation.input.body.qname.namespace,
            soap_action=operation.soapaction or f"{operation.input.body.qname.namespace}{name}",
            parameters=parameters,
            response=operation.output.body.qname.localname,
            result=results[0].name,
            meaning=meaning,
        )
    if reasons:
        raise ContractError("\n".join(f"{mapping_path}: {reason}" for reason in reasons))
    return Contract(operations)


_UNMAPPED = Meaning(unavailable="its mapping does not say what it means.")


def _operations(document: Document) -> Iterator[Any]:
    for service in document.services.values():
        for port in service.ports.values():
            if isinstance(port.binding, SoapBinding):
                yield from port.binding.all().values()


def _leaves(kind: Any, above: tuple[Any, ...] = ()) -> Iterator[Parameter]:
    if kind in above:
        raise ContractError(f"type {kind.name} is within itself")
    for name, element in kind.elements:
        if isinstance(element, AnyElement):
            continue
        if isinstance(element.type, ComplexType):
            yield from _leaves(element.type, (*above, kind))
        else:
            yield Parameter(name, element.type.qname.localname if element.type.qname else "")
