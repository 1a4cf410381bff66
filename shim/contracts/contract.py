"""The contract of a legacy service: its operations, read from a WSDL and a mapping."""

from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pydantic import ValidationError

from shim import errors
from shim.config import ContractSettings, reasons
from shim.contracts import description, mapping
from shim.contracts.description import DescriptionError, OperationDescription
from shim.contracts.mapping import MappingError, OperationMapping
from shim.contracts.operation import Operation

_UNMAPPED: Final = OperationMapping(unavailable="the gateway's mapping leaves it out.")


class ContractError(Exception):
    """A WSDL and a mapping do not make a contract; the message has one line for each mistake."""


class Contract:
    """The operations of a legacy service.

    Attributes:
        operations: The operations by name.
    """

    def __init__(self, operations: Mapping[str, Operation]) -> None:
        """Index the operations by the elements that call them; the request elements of the WSDL take precedence."""
        self.operations = operations
        self._by_element = {f"{name}Request": operation for name, operation in operations.items()}
        self._by_element |= operations
        self._by_element |= {operation.description.request.local: operation for operation in operations.values()}

    @property
    def elements(self) -> Container[str]:
        """The local names of the elements that call an operation."""
        return self._by_element

    def operation(self, element: str) -> Operation:
        """Return the operation that a body's element calls.

        Args:
            element: The local name of the element; its namespace does not count.

        Raises:
            CallerError: The element calls no operation of this contract.
        """
        found = self._by_element.get(element)
        if found is None:
            raise errors.UNKNOWN_OPERATION.error()
        return found

    def check_action(self, action: str, operation: Operation) -> None:
        """Refuse an action that names another operation.

        Clients send no action, ``*``, the WSDL's action, or one of their own making such as ``namespace/#GetScores``,
        of which only the last part counts.

        Raises:
            CallerError: The action names another operation of this contract.
        """
        name = action.rstrip("/").rpartition("/")[2].rpartition("#")[2].rpartition(":")[2]
        if name != operation.name and name in self.operations and action != operation.description.soap_action:
            raise errors.ACTION.error()


def from_settings(settings: ContractSettings, info_url: str | None = None) -> Contract:
    """Read the contract that a configuration names.

    Args:
        settings: The files, and the report-by values.
        info_url: The page that tells callers about the end of the service.

    Raises:
        ContractError: The WSDL or its mapping cannot be used.
    """
    mapping_path = settings.mapping or settings.wsdl.with_suffix(".toml")
    return load(settings.wsdl, mapping_path, settings.reportby, info_url or "")


def load(
    wsdl: Path, mapping_path: Path, reportby: Mapping[str, str] = MappingProxyType({}), info_url: str = ""
) -> Contract:
    """Read a contract.

    Args:
        wsdl: The WSDL.
        mapping_path: The mapping.
        reportby: Report-by values by operation; they override the mapping's.
        info_url: The page that tells callers about the end of the service; empty for none.

    Raises:
        ContractError: The WSDL cannot be read or served, or the mapping does not fit it.
    """
    try:
        mappings = mapping.load(mapping_path)
        descriptions = description.read(wsdl)
    except (MappingError, DescriptionError) as error:
        raise ContractError(str(error)) from error
    mappings, mistakes = _with_reportby(mappings, reportby)
    mistakes += _mistakes(mappings, descriptions, wsdl)
    if mistakes:
        raise ContractError("\n".join(f"{mapping_path}: {mistake}" for mistake in mistakes))
    replacement = "Ask TOEFL Access by REST instead" + (f": {info_url}" if info_url else ".")
    return Contract(
        {name: Operation(found, mappings.get(name, _UNMAPPED), replacement) for name, found in descriptions.items()}
    )


def _with_reportby(
    mappings: Mapping[str, OperationMapping], reportby: Mapping[str, str]
) -> tuple[dict[str, OperationMapping], list[str]]:
    """Return the mappings with report-by values set, and the mistakes in these."""
    changed, mistakes = dict(mappings), []
    for name, value in reportby.items():
        if name not in mappings:
            mistakes.append(f"has no operations.{name}, but contracts.reportby in the configuration names {name}")
            continue
        try:
            changed[name] = mappings[name].reporting_by(value)
        except ValidationError as error:
            mistakes += [f"operations.{name}: {reason}" for reason in reasons(error)]
    return changed, mistakes


def _mistakes(
    mappings: Mapping[str, OperationMapping], descriptions: Mapping[str, OperationDescription], wsdl: Path
) -> Iterator[str]:
    for name, mapped in mappings.items():
        if name not in descriptions:
            yield f"operations.{name}: {wsdl} has no operation {name}; it has {', '.join(descriptions)}"
            continue
        described = descriptions[name]
        known = ", ".join(described.parameters) or "none"
        for key, parameter in mapped.parameters:
            if parameter not in described.parameters:
                yield f"operations.{name}.{key}: {name} in {wsdl} has no parameter {parameter}; it has {known}"
        if described.unservable and not mapped.unavailable:
            yield (
                f"operations.{name}: {described.unservable} "
                "(to serve the other operations, set unavailable to a sentence for the callers of this one)"
            )
