"""The calls of a contract, validated and dispatched by Spyne.

Spyne sees neither the bytes of a request nor those of an answer. It gets the parameters of a call that was read
already, and returns them validated.

Spyne documents how to add protocols and transports, but not all that these need. Only this file uses the rest:
``method_request_string``, ``in_body_doc``, ``descriptor``, ``in_object`` and ``out_object`` of a context,
``get_call_handles`` of a protocol, ``get_in_object`` and ``get_out_object`` of a server, ``get_flat_type_info``,
``validate_string`` and ``validate_native`` of a type. If a release of Spyne changes one of them, every call fails or
wrong values are let through: test_service then fails.
"""

from collections.abc import Mapping
from typing import Any, Final

from lxml import etree

from shim import errors
from shim.contracts import spyne_compat  # noqa: F401 - must be imported before Spyne
from shim.contracts.contract import Contract
from shim.contracts.operation import Operation
from shim.wire.call import Call
from shim.wire.elements import is_nil

from spyne import Application, MethodContext, Service, rpc  # isort: skip
from spyne.model.primitive import Unicode  # isort: skip
from spyne.protocol import ProtocolBase  # isort: skip
from spyne.server import ServerBase  # isort: skip

# Spyne needs one. Calls come in any namespace and are dispatched by local name.
_NAMESPACE: Final = "urn:toefl-soap-shim"

# Put before the name of a parameter: Spyne reserves names such as Attributes.
_PREFIX: Final = "p."

# The lexical forms of XML Schema part 2: Spyne's own numbers also take 1_000, and its booleans any text. A value is
# passed on as it was sent. Dates are text here: only dates.py reads them.
_INTEGER: Final = Unicode(pattern=r"\s*[+-]?[0-9]{1,100}\s*")
_DOUBLE: Final = Unicode(pattern=r"\s*([+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([Ee][+-]?[0-9]+)?|-?INF|NaN)\s*")
_TYPES: Final = {
    "boolean": Unicode(pattern=r"\s*(true|false|0|1)\s*"),
    "decimal": Unicode(pattern=r"\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)\s*"),
    "double": _DOUBLE,
    "float": _DOUBLE,
    "int": _INTEGER,
    "integer": _INTEGER,
    "long": _INTEGER,
    "short": _INTEGER,
}


class LegacyService:
    """The legacy service that a contract describes."""

    def __init__(self, contract: Contract) -> None:
        """Build the Spyne application."""
        self._contract = contract
        methods = {name: _method(operation) for name, operation in contract.operations.items()}
        service = type("LegacyOperations", (Service,), methods)
        self._transport = _ParametersTransport(Application([service], _NAMESPACE, in_protocol=_ParametersProtocol()))

    def operation(self, call: Call, action: str) -> Operation:
        """Return the operation that a call names.

        Args:
            call: The call.
            action: The action that its HTTP headers name; empty for none.

        Raises:
            CallerError: There is no such operation, or an action names another one.
        """
        operation = self._contract.operation(call.name)
        for named in (action, call.action):
            self._contract.check_action(named, operation)
        return operation

    def parameters(self, call: Call, operation: Operation) -> dict[str, str | None]:
        """Return the validated parameters of a call, by name; None for one that was not sent.

        Raises:
            CallerError: A parameter was sent twice, or is not of its type in the WSDL.
        """
        return self._transport.call(operation, _gather(call.element, operation))


def _method(operation: Operation) -> Any:
    names = tuple(operation.description.parameters)

    def method(_context: MethodContext, *values: str | None) -> dict[str, str | None]:
        return dict(zip(names, values, strict=True))

    method.__name__ = operation.name
    types = [_TYPES.get(kind, Unicode) for kind in operation.description.parameters.values()]
    return rpc(*types, _args=[_PREFIX + name for name in names])(method)


def _gather(body: etree._Element, operation: Operation) -> dict[str, str]:
    """Return the text of each parameter, at any depth of the body and in any namespace."""
    gathered: dict[str, str] = {}
    seen = set()
    for element in body.iterdescendants():
        name = element.tag.rpartition("}")[2]
        if name not in operation.description.parameters:
            continue
        if name in seen:
            raise errors.DUPLICATE_PARAMETER.error(name)
        seen.add(name)
        if len(element):
            raise errors.BAD_PARAMETER.error(name)
        if not is_nil(element):
            gathered[_PREFIX + name] = element.text or ""
    return gathered


class _ParametersProtocol(ProtocolBase):  # type: ignore[misc]
    """A Spyne protocol for parameters that were read already. Its errors name a parameter and repeat no value."""

    def deserialize(self, ctx: MethodContext, message: object) -> None:  # noqa: ARG002 - only requests are deserialized
        """Validate the parameters of a call."""
        message_type = ctx.descriptor.in_message
        ctx.in_object = values = []
        for name, kind in message_type.get_flat_type_info(message_type).items():
            text = ctx.in_body_doc.get(name)
            if text and not _fits(text, kind):
                raise errors.BAD_PARAMETER.error(name.removeprefix(_PREFIX))
            values.append(text)

    def generate_method_contexts(self, ctx: MethodContext) -> tuple[MethodContext]:
        """Find the method, which is the only one of its name."""
        # Spyne's own copies the context for each method of a name, which takes 5 us of a call.
        (ctx.descriptor,) = self.get_call_handles(ctx)
        return (ctx,)

    def get_context(self, parent: MethodContext, transport: ServerBase) -> None:
        """Keep nothing of the protocol in a context."""


def _fits(text: str, kind: Any) -> bool:
    # Unicode without a pattern takes any text, but validating it takes 4 us of a call.
    return kind is Unicode or (kind.validate_string(kind, text) and kind.validate_native(kind, text))


class _Context(MethodContext):  # type: ignore[misc]
    # Spyne's own checks for misspelt attributes, which takes 8 us of a call.
    __setattr__ = object.__setattr__


class _ParametersTransport(ServerBase):  # type: ignore[misc]
    """A Spyne transport for calls that were read already; Spyne documents ``ServerBase`` for new transports."""

    transport = _NAMESPACE

    def call(self, operation: Operation, parameters: Mapping[str, str]) -> dict[str, str | None]:
        """Run one call through Spyne, and return the validated parameters."""
        context = _Context(self, MethodContext.SERVER)
        context.method_request_string = operation.name
        context.in_body_doc = parameters
        (context,) = self.app.in_protocol.generate_method_contexts(context)
        self.get_in_object(context)
        self.get_out_object(context)
        (values,) = context.out_object
        return values  # type: ignore[no-any-return]
