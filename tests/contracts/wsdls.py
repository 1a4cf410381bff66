"""WSDLs for the tests: a service with one operation, ``Fetch``, of which any part can be replaced."""

from typing import Final

NAMESPACE: Final = "urn:legacy"
PREFIXES: Final = (
    'xmlns:w="http://schemas.xmlsoap.org/wsdl/" xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/" '
    'xmlns:s12="http://schemas.xmlsoap.org/wsdl/soap12/" xmlns:x="http://www.w3.org/2001/XMLSchema" '
    'xmlns:m="http://schemas.xmlsoap.org/wsdl/mime/" xmlns:h="http://schemas.xmlsoap.org/wsdl/http/" '
    f'xmlns:t="{NAMESPACE}"'
)
TEXT: Final = {"userName": "string", "password": "string", "fromDate": "string", "untilDate": "string"}
RESULT: Final = '<x:element name="FetchResult" type="x:base64Binary" minOccurs="0"/>'
BODY: Final = '<s:body use="literal"/>'


def sequence(name: str, content: str) -> str:
    """Make a global element that contains elements."""
    inner = f"<x:complexType><x:sequence>{content}</x:sequence></x:complexType>"
    return f'<x:element name="{name}">{inner}</x:element>'


def fields(parameters: dict[str, str]) -> str:
    """Make elements of built-in types, as ASMX writes them."""
    return "".join(f'<x:element name="{name}" type="x:{kind}" minOccurs="0"/>' for name, kind in parameters.items())


def schema(content: str, *, form: str = "qualified", namespace: str = NAMESPACE) -> str:
    """Make a schema."""
    return f'<x:schema elementFormDefault="{form}" targetNamespace="{namespace}">{content}</x:schema>'


def wrapped(parameters: dict[str, str] | None = None, *, name: str = "Fetch", result: str = RESULT) -> str:
    """Make the elements of a document/literal wrapped operation."""
    asked = fields(TEXT if parameters is None else parameters)
    return sequence(name, asked) + sequence(f"{name}Response", result)


def wsdl(  # noqa: PLR0913 - one argument for each part that a test replaces
    types: str | None = None,
    *,
    name: str = "Fetch",
    asked: str | None = None,
    answered: str | None = None,
    style: str = "document",
    action: str = f"{NAMESPACE}/Fetch",
    body: str = BODY,
    output_body: str | None = None,
    service: str = "Legacy",
    imports: str = "",
    bindings: str = "",
    ports: str = "",
) -> str:
    """Make a WSDL.

    Args:
        types: The schemas.
        name: The name of the operation.
        asked: The parts of the request message.
        answered: The parts of the answer message.
        style: ``document`` or ``rpc``.
        action: The SOAPAction.
        body: The binding of the request body.
        output_body: The binding of the answer body; by default as the request body.
        service: The name of the service.
        imports: Elements before the types.
        bindings: Elements before the service.
        ports: Elements after the port.
    """
    asked = f'<w:part name="parameters" element="t:{name}"/>' if asked is None else asked
    answered = f'<w:part name="parameters" element="t:{name}Response"/>' if answered is None else answered
    output_body = body if output_body is None else output_body
    types = schema(wrapped(name=name)) if types is None else types
    return f"""\
<w:definitions {PREFIXES} targetNamespace="{NAMESPACE}">{imports}
<w:types>{types}</w:types>
<w:message name="In">{asked}</w:message>
<w:message name="Out">{answered}</w:message>
<w:portType name="Port"><w:operation name="{name}"><w:input message="t:In"/><w:output message="t:Out"/></w:operation>
</w:portType>
{binding(name=name, style=style, action=action, body=body, output_body=output_body)}{bindings}
<w:service name="{service}"><w:port name="Port" binding="t:Bound"><s:address location="http://127.0.0.1:9/"/></w:port>
{ports}</w:service>
</w:definitions>"""


def binding(  # noqa: PLR0913 - same
    called: str = "Bound",
    *,
    name: str = "Fetch",
    soap: str = "s",
    port_type: str = "Port",
    style: str = "document",
    action: str = f"{NAMESPACE}/Fetch",
    body: str = BODY,
    output_body: str = BODY,
) -> str:
    """Make a SOAP binding of the operation."""
    return (
        f'<w:binding name="{called}" type="t:{port_type}">'
        f'<{soap}:binding transport="http://schemas.xmlsoap.org/soap/http" style="{style}"/>'
        f'<w:operation name="{name}"><{soap}:operation soapAction="{action}" style="{style}"/>'
        f"<w:input>{body}</w:input><w:output>{output_body}</w:output></w:operation></w:binding>"
    )
