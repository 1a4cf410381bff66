"""A ``Contract`` as a Spyne application: types, validation and dispatch.

Spyne sees neither the request's bytes nor the answer's: it gets the parameters
of a call that was read and checked, and gives back what was made of them.
"""

from collections.abc import Mapping
from typing import Any, Final

from lxml import etree

from shim import errors
from shim.contracts import spyne_compat  # noqa: F401 - makes the imports of Spyne below work
from shim.contracts.contract import Contract, Operation
from shim.wire.envelope import Call, is_nil

from spyne import Application, MethodContext, Service, rpc  # isort: skip
from spyne.model.primitive import Unicode  # isort: skip
from spyne.protocol import ProtocolBase  # isort: skip
from spyne.server import ServerBase  # isort: skip

# Spyne wants one; calls come in whatever namespace, and are dispatched by local name.
_NAMESPACE: Final = "urn:toefl-soap-shim"

# Before the name of a parameter, for Spyne keeps names such as Attributes for itself.
_MARK: Final = "p."

# The lexical forms of XML Schema part 2: Spyne's own numbers also take 1_000, and its booleans anything. A value goes
# on as it was sent. Dates stay text here: dates.py is the one place that reads them.
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
    """Reads and dispatches calls by the contract."""

    def __init__(self, contract: Contract) -> None:
        """Build the Spyne application, once."""
        self._contract = contract
        methods = {name: _method(operation) for name, operation in contract.operations.items()}
        service = type("LegacyOperations", (Service,), methods)
        self._transport = _Transport(Application([service], _NAMESPACE, in_protocol=_Parameters()))

    def operation(self, call: Call, action: str) -> Operation:
        """The operation that a call names.

        Raises:
            CallerError: None is called so, or the action names another.
        """
        operation = self._contract.operation(call.root)
        for named in (action, call.action):
            self._contract.check_action(named, operation)
        return operation

    def parameters(self, call: Call, operation: Operation) -> dict[str, str | None]:
        """Return the validated parameters of a call, by name; None for one that was not sent.

        Raises:
            CallerError: A parameter is wrong.
        """
        return self._transport.call(operation, _gather(call.element, operation))


def _method(operation: Operation) -> Any:
    names = tuple(operation.description.parameters)

    def method(_context: MethodContext, *values: str | None) -> dict[str, str | None]:
        return dict(zip(names, values, strict=True))

    method.__name__ = operation.name
    types = [_TYPES.get(kind, Unicode) for kind in operation.description.parameters.values()]
    return rpc(*types, _args=[_MARK + name for name in names])(method)


def _gather(body: etree._Element, operation: Operation) -> dict[str, str]:
    """The text of each parameter, wherever in the body and in whatever namespace it stands."""
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
            gathered[_MARK + name] = element.text or ""
    return gathered


class _Parameters(ProtocolBase):  # type: ignore[misc]
    """A protocol of Spyne for parameters that are read already; it names the one that is wrong and echoes no value."""

    def deserialize(self, ctx: MethodContext, message: object) -> None:  # noqa: ARG002 - only requests come this way
        """Make values of their types."""
        message_type = ctx.descriptor.in_message
        ctx.in_object = values = []
        for name, kind in message_type.get_flat_type_info(message_type).items():
            text = ctx.in_body_doc.get(name)
            if text and not _fits(text, kind):
                raise errors.BAD_PARAMETER.error(name.removeprefix(_MARK))
            values.append(text)

    def generate_method_contexts(self, ctx: MethodContext) -> tuple[MethodContext]:
        """Find the method; as there are no others bound to it, its context need not be a copy."""
        (ctx.descriptor,) = self.get_call_handles(ctx)
        return (ctx,)

    def get_context(self, parent: MethodContext, transport: ServerBase) -> None:
        """Keep nothing of its own in a context."""


def _fits(text: str, kind: Any) -> bool:
    # Unicode without a pattern takes any text, and Spyne takes long to say so.
    return kind is Unicode or (kind.validate_string(kind, text) and kind.validate_native(kind, text))


class _Context(MethodContext):  # type: ignore[misc]
    """Spyne's own looks out for misspelt attributes, at a fifth of a call's time in Spyne."""

    __setattr__ = object.__setattr__


class _Transport(ServerBase):  # type: ignore[misc]
    """A transport for calls that are already read: ``spyne.server.ServerBase`` is the documented way to add one."""

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
