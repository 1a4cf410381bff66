"""A legacy WSDL and its mapping to a ``Contract``: the operations, and what their parts mean."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from shim import errors
from shim.config import ContractSettings, reasons
from shim.contracts import description, mapping
from shim.contracts.dates import Bound, to_utc
from shim.contracts.description import Description, DescriptionError
from shim.contracts.mapping import Fixed, MappingError, Meaning, Source
from shim.query import ScoreQuery
from shim.wire.answer import Name, Wrapper
from shim.wire.envelope import Call
from shim.wire.result import Reply

_LONGEST_WORD = 200
"""Characters; it becomes a part of an address."""
_UNMAPPED = Meaning(unavailable="nobody said what it means.")


class ContractError(Exception):
    """A WSDL and its mapping do not make a contract; the message names every reason."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Attributes:
        description: Its parts, from the WSDL.
        meaning: What they mean.
        replacement: What a caller of an operation that is not answered is told besides.
    """

    description: Description
    meaning: Meaning
    replacement: str = ""

    @property
    def name(self) -> str:
        """Its name."""
        return self.description.name

    def reply(self, call: Call) -> Reply:
        """How to answer a call: in the names and the namespace that it used."""
        return Reply(
            dialect=call.dialect,
            wrapper=Wrapper(self._path(call), f"{self.description.soap_action}Response"),
            kind=self.description.result_type,
            empty=self.meaning.empty,
            in_band=self.meaning.errors == "in-band" and not self.description.unservable,
        )

    def _path(self, call: Call) -> tuple[Name, ...]:
        described = self.description
        outer, *inner = described.result_path or (Name(f"{self.name}Response", ""),)
        # A message-contract client sends <GetScoresRequest> itself as the body and waits for its counterpart.
        if call.root == f"{self.name}Request" != described.request.local:
            outer = Name(f"{self.name}Response", outer.namespace)
        # A call without parameters does not tell whether it would qualify them.
        qualified = call.qualified if len(call.element) else described.qualified
        if (call.namespace, qualified) == (described.request.namespace, described.qualified):
            return outer, *inner
        namespace = call.namespace if qualified else ""
        return Name(outer.local, call.namespace), *(Name(name.local, namespace) for name in inner)

    def query(self, values: Mapping[str, str | None]) -> ScoreQuery:
        """Translate parameters, by name.

        Raises:
            CallerError: REST cannot answer the operation, a value is missing, or a
                date is none.
        """
        meaning = self.meaning
        if meaning.unavailable:
            raise errors.UNAVAILABLE.error(f"{meaning.unavailable} {self.replacement}".strip())
        query = ScoreQuery(
            start=self._date(meaning.startdate, values, "start"),
            end=self._date(meaning.enddate, values, "end"),
            type=_word(meaning.type, values),
            reportby=_word(meaning.reportby, values),
            format=meaning.format,
        )
        if query.start >= query.end:
            raise errors.START_AFTER_END.error()
        return query

    def _date(self, name: str, values: Mapping[str, str | None], bound: Bound) -> datetime:
        text = _value(name, values)
        try:
            return to_utc(text, self.meaning.dates, bound, self.meaning.zone or UTC)
        except ValueError as error:
            raise errors.BAD_DATE.error(name) from error


def _value(source: Source, values: Mapping[str, str | None]) -> str:
    if isinstance(source, Fixed):
        return source.value
    value = (values.get(source) or "").strip()
    if not value:
        raise errors.MISSING_PARAMETER.error(source)
    return value


def _word(source: Source, values: Mapping[str, str | None]) -> str:
    value = _value(source, values)
    if len(value) > _LONGEST_WORD:
        raise errors.BAD_PARAMETER.error(str(source))
    return value


@dataclass(frozen=True, slots=True)
class Contract:
    """The operations of one legacy service, by name."""

    operations: Mapping[str, Operation]
    _roots: Mapping[str, Operation] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Index the operations by all elements that may call them; the WSDL's own come first."""
        ways = [
            {f"{operation.name}Request": operation for operation in self.operations.values()},
            {operation.name: operation for operation in self.operations.values()},
            {operation.description.request.local: operation for operation in self.operations.values()},
        ]
        object.__setattr__(self, "_roots", {root: operation for way in ways for root, operation in way.items()})

    def operation(self, root: str) -> Operation:
        """The operation that a body's element calls, in whatever namespace it stands.

        Raises:
            CallerError: None is called so.
        """
        found = self._roots.get(root)
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
        if name != operation.name and name in self.operations and action != operation.description.soap_action:
            raise errors.ACTION.error()


def load(
    wsdl: Path, mapping_path: Path, reportby: Mapping[str, str] = MappingProxyType({}), info_url: str = ""
) -> Contract:
    """Read a contract.

    Args:
        wsdl: The WSDL.
        mapping_path: What its parts mean.
        reportby: By operation, what it reports by, where the mapping leaves that open.
        info_url: Where callers read about the end of an operation.

    Raises:
        ContractError: The WSDL cannot be read or served, or the mapping does not fit it.
    """
    try:
        meanings = dict(mapping.load(mapping_path))
        described = description.read(wsdl)
    except (MappingError, DescriptionError) as error:
        raise ContractError(str(error)) from error
    wrong = [f"no operation {name} in {wsdl}" for name in meanings if name not in described]
    for name, value in reportby.items():
        try:
            meanings[name] = meanings[name].reporting_by(value)
        except KeyError:
            wrong.append(f"no operation {name} to set what it reports by")
        except ValidationError as error:
            wrong += [f"{name}: {reason}" for reason in reasons(error)]
    for name, meaning in meanings.items():
        if name in described:
            known = described[name].parameters
            wrong += [f"{name}: no parameter {part} in {wsdl}" for part in meaning.parameters if part not in known]
            if described[name].unservable and not meaning.unavailable:
                wrong.append(f"{name}: {described[name].unservable}")
    if wrong:
        raise ContractError("\n".join(f"{mapping_path}: {reason}" for reason in wrong))
    replacement = "Ask TOEFL Access by REST instead" + (f": {info_url}" if info_url else ".")
    return Contract(
        {name: Operation(part, meanings.get(name, _UNMAPPED), replacement) for name, part in described.items()}
    )


def from_settings(settings: ContractSettings, info_url: str | None = None) -> Contract:
    """Read a contract as configured.

    Args:
        settings: The files, and what the operations report by.
        info_url: Where callers read about the end of an operation.

    Raises:
        ContractError: The WSDL or its mapping cannot be used.
    """
    mapping_path = settings.mapping or settings.wsdl.with_suffix(".toml")
    return load(settings.wsdl, mapping_path, settings.reportby, info_url or "")
