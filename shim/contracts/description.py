"""A legacy WSDL, read with zeep: the operations of its SOAP ports, their parameters and their results.

zeep is made for clients, and publishes few of the objects that a server needs. Only this file uses them: the services,
ports and bindings of ``Document``, the ``body`` elements of an operation's input and output, ``type.elements`` of a
complex type, ``min_occurs`` and ``max_occurs`` of an element, ``_value_1``, and ``_default_qname`` of the built-in
types. If a release of zeep changes one of them, operations get other parameters or results, or ``read`` refuses every
WSDL: test_description then fails.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlsplit

from lxml import etree
from zeep import Settings
from zeep.exceptions import DTDForbidden
from zeep.transports import Transport
from zeep.wsdl import Document
from zeep.wsdl.bindings.soap import SoapBinding
from zeep.xsd import ComplexType, Element

from shim.wire.answer_format import ResultType
from shim.wire.qname import QName

MAX_BYTES: Final = 2 * 1024 * 1024
"""The largest file that is read; generated WSDLs have tens of kilobytes."""
_DEEPEST: Final = 16
"""Elements on the way to a result."""
# zeep copies a group at every reference: groups of groups may double at every step. Generated WSDLs have no groups.
_MOST_GROUPS: Final = 32
_GROUP: Final = "{http://www.w3.org/2001/XMLSchema}group"
# zeep's name of the text in an element that has attributes.
_TEXT: Final = "_value_1"
_SOAP: Final = ("http://schemas.xmlsoap.org/wsdl/soap/", "http://schemas.xmlsoap.org/wsdl/soap12/")
_MIME: Final = "http://schemas.xmlsoap.org/wsdl/mime/"
_RESULT_TYPES: Final = ("base64Binary", "string")


class DescriptionError(Exception):
    """A WSDL cannot be read or served; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class OperationDescription:
    """What a WSDL says of one operation.

    Attributes:
        name: The name.
        soap_action: The SOAPAction; the WS-Addressing action of an answer is made from it.
        request: The element that calls the operation.
        qualified: Whether the elements in the request element have a namespace.
        parameters: The parameters by local name, each with the local name of its XML Schema type. Those in a nested
            request type are among them.
        optional: The parameters that a call may leave out.
        containers: The elements that hold parameters inside the request element, each as its path of local names.
        result_path: The elements from the body's element of the answer down to the result element.
        result_type: The XML Schema type of the result.
        unservable: Why the gateway cannot answer the operation, as a clause; empty if it can.
    """

    name: str
    soap_action: str
    request: QName
    qualified: bool
    parameters: Mapping[str, str]
    optional: frozenset[str]
    containers: frozenset[tuple[str, ...]]
    result_path: tuple[QName, ...]
    result_type: ResultType
    unservable: str = ""


def read(path: Path) -> Mapping[str, OperationDescription]:
    """Read a WSDL, and the files of its folder that it imports.

    Returns:
        The operations by name.

    Raises:
        DescriptionError: The WSDL cannot be read, or has no operation with a SOAP port.
    """
    if not path.is_file():
        raise DescriptionError(f"{path}: there is no such file")
    try:
        transport = _FolderTransport(path)
        document = Document(str(path.absolute()), transport, settings=Settings(forbid_dtd=True))
        described = _operations(document, transport.roots)
    except DescriptionError as error:
        raise DescriptionError(f"{path}: {error}") from error
    except RecursionError as error:
        raise DescriptionError(f"{path}: its types contain themselves without end") from error
    except DTDForbidden as error:
        raise DescriptionError(f"{path}: has a DOCTYPE: remove it, no WSDL needs one") from error
    except Exception as error:  # zeep does not say what it raises
        raise DescriptionError(
            f"{path}: is not a WSDL that can be read ({type(error).__name__}): "
            "save it again from the old service, or take it from the project of the client"
        ) from error
    if not described:
        raise DescriptionError(f"{path}: has no SOAP port with an operation: check that it is the service's WSDL")
    return described


class _FolderTransport(Transport):  # type: ignore[misc]
    """Reads the files of one folder, and neither the network nor other folders.

    Attributes:
        roots: The root elements of the files read.
    """

    def __init__(self, wsdl: Path) -> None:
        super().__init__()
        self._folder = wsdl.absolute().parent.resolve()
        self.roots: list[etree._Element] = []

    def load(self, url: str) -> bytes:
        """Read the WSDL, or a file that it imports."""
        path = Path(url).absolute()
        outside = urlsplit(url).scheme or not path.resolve().is_relative_to(self._folder)
        if outside or not path.is_file():
            raise DescriptionError(
                f"needs the file {url if outside else path.name}, which is not in its folder: "
                "save that file there too, or get the WSDL in one file from the old service (?singleWsdl)"
            )
        if path.stat().st_size > MAX_BYTES:
            raise DescriptionError(f"{path.name} is larger than {MAX_BYTES:,} bytes: no service has such a WSDL")
        body = path.read_bytes()
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
        if sum(1 for _ in root.iter(_GROUP)) > _MOST_GROUPS:
            raise DescriptionError(f"{path.name}: its types are made of more than {_MOST_GROUPS} groups")
        self.roots.append(root)
        return body


def _operations(document: Any, roots: Iterable[etree._Element]) -> dict[str, OperationDescription]:
    described: dict[str, OperationDescription] = {}
    unservable = {name: reason for root in roots for name, reason in _unservable(root)}
    for operation in _soap_operations(document):
        found = _describe(operation, unservable.get(operation.name, ""))
        known = described.setdefault(found.name, found)
        if (known.request, known.result_path) != (found.request, found.result_path):
            raise DescriptionError(f"two of its ports have different operations {found.name}: remove one of the ports")
    return described


def _soap_operations(document: Any) -> Iterator[Any]:
    for service in document.services.values():
        for port in service.ports.values():
            if isinstance(port.binding, SoapBinding):
                yield from port.binding.all().values()


def _unservable(root: etree._Element) -> Iterator[tuple[str, str]]:
    """Yield the operations that cannot be answered because of what zeep ignores, and why."""
    for operation in root.iterfind(".//{*}binding/{*}operation"):
        name = operation.get("name", "")
        if any(body.get("use") == "encoded" for soap in _SOAP for body in operation.iter(f"{{{soap}}}body")):
            yield name, "rpc/encoded messages are not supported: ask for a literal WSDL of the same service"
        elif next(operation.iter(f"{{{_MIME}}}multipartRelated"), None) is not None:
            yield name, "an answer with an attachment is not supported: the client must be changed"


def _describe(operation: Any, unservable: str) -> OperationDescription:
    request = operation.input.body
    name = _name(request) if request is not None else QName(operation.name, "")
    path, kind, reason = _result(operation)
    children = [_name(part) for part in _children(request)]
    leaves = list(_leaves(request, set()))
    return OperationDescription(
        name=operation.name,
        soap_action=operation.soapaction or f"{name.namespace}{operation.name}",
        request=name,
        qualified=bool(children[0].namespace) if children else True,
        parameters={_name(part).local: _value_type(part) for _, part in leaves},
        optional=frozenset(_name(part).local for _, part in leaves if part.min_occurs == 0),
        containers=_containers(path for path, _ in leaves),
        result_path=path,
        result_type=cast("ResultType", kind),
        unservable=unservable or reason,
    )


def _result(operation: Any) -> tuple[tuple[QName, ...], str, str]:
    """Return the path to the result, its type, and why it cannot be answered; empty if it can."""
    element = operation.output.body if operation.output is not None else None
    if element is None:
        return (), "string", "the operation has no answer"
    # The answer of an rpc operation is named after the operation (WS-I Basic Profile 1.1 R2729), unlike in zeep.
    rpc = operation.style == "rpc"
    path = [QName(f"{operation.name}Response", _name(element).namespace) if rpc else _name(element)]
    while _has_elements(element):
        inner = _children(element)
        if len(inner) != 1 or len(path) > _DEEPEST:
            return tuple(path), "string", f"the result is not one field but {len(inner)}: only one can hold scores"
        (element,) = inner
        if element.max_occurs != 1:
            return tuple(path), "string", "the result is a list: only one element can hold scores"
        path.append(_name(element))
    kind = _value_type(element)
    if kind not in _RESULT_TYPES:
        return tuple(path), "string", f"the result is of type {kind}: only base64Binary and string can hold scores"
    return tuple(path), kind, ""


def _leaves(element: Any, seen: set[Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield each element that has a value, with the path of the elements that hold it; no type is walked twice."""
    for part in _children(element):
        if not _has_elements(part):
            yield path, part
        elif part.type not in seen:
            seen.add(part.type)
            yield from _leaves(part, seen, (*path, _name(part).local))


def _containers(paths: Iterable[tuple[str, ...]]) -> frozenset[tuple[str, ...]]:
    return frozenset(path[:length] for path in paths for length in range(1, len(path) + 1))


def _children(element: Any) -> list[Any]:
    if element is None or not isinstance(element.type, ComplexType):
        return []
    return [part for _, part in element.type.elements if isinstance(part, Element)]


def _has_elements(element: Any) -> bool:
    """Whether the type of an element is made of elements, and not of text with or without attributes."""
    is_text = [_name(part).local for part in _children(element)] == [_TEXT]
    return isinstance(element.type, ComplexType) and not is_text


def _value_type(element: Any) -> str:
    inner = _children(element)
    return _built_in_type(inner[0].type if inner else element.type)


def _built_in_type(kind: Any) -> str:
    """Return the local name of the built-in type that a simple type is, or is derived from."""
    names = (vars(ancestor).get("_default_qname") for ancestor in type(kind).__mro__)
    return next((name.localname for name in names if name is not None), "anyType")


def _name(element: Any) -> QName:
    qualified = etree.QName(str(element.qname))
    return QName(qualified.localname, qualified.namespace or "")
