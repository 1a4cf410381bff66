"""A legacy WSDL as the gateway needs it: the operations of its SOAP ports, their parameters and their result."""

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

from shim.wire.answer import Name
from shim.wire.result import ResultType

MAX_BYTES: Final = 2 * 1024 * 1024
"""Largest file that is read; generated WSDLs have tens of kilobytes."""
_DEEPEST: Final = 16
# Groups within groups may double at every step; generators of WSDLs make none.
_MOST_GROUPS: Final = 32
_GROUP: Final = "{http://www.w3.org/2001/XMLSchema}group"
# What zeep calls the text of an element that has attributes.
_TEXT: Final = "_value_1"
_SOAP: Final = ("http://schemas.xmlsoap.org/wsdl/soap/", "http://schemas.xmlsoap.org/wsdl/soap12/")
_MIME: Final = "http://schemas.xmlsoap.org/wsdl/mime/"
_RESULT_TYPES: Final = ("base64Binary", "string")


class DescriptionError(Exception):
    """A WSDL cannot be read or served; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Description:
    """One operation.

    Attributes:
        name: Its name.
        soap_action: The action.
        request: The element that calls it.
        qualified: Whether the elements in that one have a namespace.
        parameters: Local names of the XML Schema types by the local names of the
            elements; those nested in a request type stand here as well.
        result_path: From the body's element of the answer to the one with the result.
        result_type: The XML Schema type of the result.
        unservable: Why its answer cannot be made; empty when it can.
    """

    name: str
    soap_action: str
    request: Name
    qualified: bool
    parameters: Mapping[str, str]
    result_path: tuple[Name, ...]
    result_type: ResultType
    unservable: str = ""


def read(path: Path) -> Mapping[str, Description]:
    """Read a WSDL and what it imports from its own folder: its operations, by name.

    Raises:
        DescriptionError: It cannot be read, or has nothing to serve.
    """
    try:
        transport = _Folder(path)
        document = Document(str(path.absolute()), transport, settings=Settings(forbid_dtd=True))
        described = _operations(document, transport.roots)
    except DescriptionError as error:
        raise DescriptionError(f"{path}: {error}") from error
    except RecursionError as error:
        raise DescriptionError(f"{path}: its types refer to themselves without end") from error
    except DTDForbidden as error:
        raise DescriptionError(f"{path}: it has a DOCTYPE: take that out, no WSDL needs one") from error
    except Exception as error:  # zeep raises whatever its reading stumbles on
        raise DescriptionError(
            f"{path}: it is no WSDL that can be understood ({type(error).__name__}): "
            "save it anew from the old service, or from the project of its client"
        ) from error
    if not described:
        raise DescriptionError(f"{path}: it has no SOAP port with an operation in it")
    return described


class _Folder(Transport):  # type: ignore[misc]
    """Reads files of one folder; nothing is fetched, and nothing outside is looked at.

    Attributes:
        roots: What was read.
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
                f"it needs {path.name if not outside else url}, which is not beside it: "
                "bring that file too, or ask the old service for all in one (?singleWsdl)"
            )
        if path.stat().st_size > MAX_BYTES:
            raise DescriptionError(f"{path.name} is larger than {MAX_BYTES:,} bytes: no service has such a WSDL")
        body = path.read_bytes()
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
        if sum(1 for _ in root.iter(_GROUP)) > _MOST_GROUPS:
            raise DescriptionError(f"{path.name}: its types are made of more than {_MOST_GROUPS} groups")
        self.roots.append(root)
        return body


def _operations(document: Any, roots: Iterable[etree._Element]) -> dict[str, Description]:
    described: dict[str, Description] = {}
    unservable = {name: reason for root in roots for name, reason in _unservable(root).items()}
    for service in document.services.values():
        for port in service.ports.values():
            if isinstance(port.binding, SoapBinding):
                for operation in port.binding.all().values():
                    found = _describe(operation, unservable.get(operation.name, ""))
                    known = described.setdefault(found.name, found)
                    if (known.request, known.result_path) != (found.request, found.result_path):
                        raise DescriptionError(f"its ports have different operations named {found.name}")
    return described


def _unservable(root: etree._Element) -> dict[str, str]:
    """Operations that cannot be answered because of what zeep reads past, and why."""
    reasons = {}
    for operation in root.iterfind(".//{*}binding/{*}operation"):
        if any(body.get("use") == "encoded" for soap in _SOAP for body in operation.iter(f"{{{soap}}}body")):
            reason = "it is rpc/encoded, which cannot be answered exactly: ask for a literal WSDL of the same service"
        elif next(operation.iter(f"{{{_MIME}}}multipartRelated"), None) is not None:
            reason = "its answer is an attachment, which is not supported: its client must be changed"
        else:
            continue
        reasons[operation.get("name", "")] = reason
    return reasons


def _describe(operation: Any, unservable: str) -> Description:
    request = operation.input.body
    name = _name(request) if request is not None else Name(operation.name, "")
    path, kind, reason = _result(operation)
    children = [_name(part) for part in _children(request)]
    return Description(
        name=operation.name,
        soap_action=operation.soapaction or f"{name.namespace}{operation.name}",
        request=name,
        qualified=bool(children[0].namespace) if children else True,
        parameters=dict(_leaves(request, set())),
        result_path=path,
        result_type=cast("ResultType", kind),
        unservable=unservable or reason,
    )


def _result(operation: Any) -> tuple[tuple[Name, ...], str, str]:
    """The path to the result and its type; or why there is none that can be answered."""
    element = operation.output.body if operation.output is not None else None
    if element is None:
        return (), "string", "it has no answer"
    # An rpc answer is named after the operation (WS-I Basic Profile 1.1 R2729), whatever zeep calls it.
    rpc = operation.style == "rpc"
    path = [Name(f"{operation.name}Response", _name(element).namespace) if rpc else _name(element)]
    while isinstance(element.type, ComplexType) and not _is_text(element):
        inner = _children(element)
        if len(inner) != 1 or len(path) > _DEEPEST:
            return tuple(path), "string", f"its result is not one field but {len(inner)}: only one can hold scores"
        (element,) = inner
        if element.max_occurs != 1:
            return tuple(path), "string", "its result is a list: only one element can hold scores"
        path.append(_name(element))
    kind = _value_type(element)
    if kind not in _RESULT_TYPES:
        return tuple(path), "string", f"its result is of type {kind}: only base64Binary and string can hold scores"
    return tuple(path), kind, ""


def _leaves(element: Any, seen: set[Any]) -> Iterator[tuple[str, str]]:
    """The local names of the elements with a value in them, and the types of these; no type is looked at twice."""
    for part in _children(element):
        if not isinstance(part.type, ComplexType) or _is_text(part):
            yield _name(part).local, _value_type(part)
        elif part.type not in seen:
            seen.add(part.type)
            yield from _leaves(part, seen)


def _children(element: Any) -> list[Any]:
    if element is None or not isinstance(element.type, ComplexType):
        return []
    return [part for _, part in element.type.elements if isinstance(part, Element)]


def _is_text(element: Any) -> bool:
    """Whether an element of a complex type holds text and attributes alone."""
    return [_name(part).local for part in _children(element)] == [_TEXT]


def _value_type(element: Any) -> str:
    inner = _children(element)
    return _xsd_type(inner[0].type if inner else element.type)


def _name(element: Any) -> Name:
    qualified = etree.QName(str(element.qname))
    return Name(qualified.localname, qualified.namespace or "")


def _xsd_type(kind: Any) -> str:
    """The local name of the built-in type that a simple type is, or is made from."""
    names = (vars(ancestor).get("_default_qname") for ancestor in type(kind).__mro__)
    return next((name.localname for name in names if name is not None), "anyType")
