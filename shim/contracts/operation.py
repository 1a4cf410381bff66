"""An operation of a legacy service: what the WSDL says of it, and what it means to the REST API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from shim import errors
from shim.contracts.dates import DAY, ISO_8601, Bound, DateReader
from shim.contracts.description import OperationDescription
from shim.contracts.mapping import FixedValue, OperationMapping, OptionalParameter, ValueSource, parameter_of
from shim.query import ScoreQuery
from shim.wire.answer_format import AnswerFormat
from shim.wire.call import Call
from shim.wire.qname import QName

_LONGEST_VALUE = 200
"""Characters of a type or a report-by value, which become a part of a URL."""


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of a legacy service.

    Attributes:
        description: What the WSDL says of it.
        mapping: What it means to the REST API.
        replacement: What a caller can use instead, as a sentence; it ends the fault of an unavailable operation.
        dates: The reader of its dates.
    """

    description: OperationDescription
    mapping: OperationMapping
    replacement: str = ""
    dates: DateReader = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Prepare the reader of dates."""
        object.__setattr__(self, "dates", _date_reader(self.description, self.mapping))

    @property
    def name(self) -> str:
        """The name in the WSDL."""
        return self.description.name

    def answer_format(self, call: Call) -> AnswerFormat:
        """Return the format in which to answer a call: in the names and the namespace of the call itself."""
        return AnswerFormat(
            dialect=call.dialect,
            path=self._path(call),
            action=f"{self.description.soap_action}Response",
            result_type=self.description.result_type,
            empty=self.mapping.empty,
            in_band=self.mapping.errors == "in-band" and not self.description.unservable,
        )

    def query(self, values: Mapping[str, str | None]) -> ScoreQuery:
        """Translate a call to a query.

        Args:
            values: The parameters of the call by name; None for one that was not sent.

        Raises:
            CallerError: The operation is unavailable, a value is missing or too long, a date is wrong, or the start is
                not before the end.
        """
        mapping = self.mapping
        if mapping.unavailable:
            raise errors.UNAVAILABLE.error(f"{mapping.unavailable} {self.replacement}".strip())
        query = ScoreQuery(
            start=self._date(mapping.startdate, values, "start"),
            end=self._date(mapping.enddate, values, "end"),
            type=_short_value(mapping.type, values),
            reportby=_short_value(mapping.reportby, values),
            format=mapping.format,
        )
        if query.start >= query.end:
            raise errors.START_AFTER_END.error()
        return query

    def _path(self, call: Call) -> tuple[QName, ...]:
        described = self.description
        outer, *inner = described.result_path or (QName(f"{self.name}Response", ""),)
        # A client with message contracts sends <GetScoresRequest> as the body and expects <GetScoresResponse>.
        if call.name == f"{self.name}Request" != described.request.local:
            outer = QName(f"{self.name}Response", outer.namespace)
        # A call without parameters does not show whether the client qualifies them.
        qualified = call.qualified if len(call.element) else described.qualified
        if (call.namespace, qualified) == (described.request.namespace, described.qualified):
            return outer, *inner
        namespace = call.namespace if qualified else ""
        return QName(outer.local, call.namespace), *(QName(name.local, namespace) for name in inner)

    def _date(self, name: str, values: Mapping[str, str | None], bound: Bound) -> datetime:
        text = _value(name, values)
        try:
            return self.dates.to_utc(text, bound)
        except ValueError as error:
            raise errors.BAD_DATE.error(name) from error


def _date_reader(description: OperationDescription, mapping: OperationMapping) -> DateReader:
    kinds = {description.parameters.get(name) for name in (mapping.startdate, mapping.enddate)}
    forms = list(mapping.dates)
    # A client can send every lexical form of its type, whatever the mapping says.
    if "date" in kinds:
        forms = [DAY, *forms, ISO_8601]
    elif "dateTime" in kinds:
        forms = [*forms, ISO_8601]
    instants = kinds == {"dateTime"} and set(mapping.dates) == {ISO_8601}
    return DateReader(forms, mapping.zone or UTC, mapping.pivot, instants=instants)


def _value(source: ValueSource, values: Mapping[str, str | None]) -> str:
    if isinstance(source, FixedValue):
        return source.value
    name, default = (source.parameter, source.default) if isinstance(source, OptionalParameter) else (source, "")
    value = (values.get(name) or "").strip() or default
    if not value:
        raise errors.MISSING_PARAMETER.error(name)
    return value


def _short_value(source: ValueSource, values: Mapping[str, str | None]) -> str:
    value = _value(source, values)
    if len(value) > _LONGEST_VALUE:
        raise errors.BAD_PARAMETER.error(parameter_of(source) or str(source))
    return value
