"""What the operations of a legacy WSDL mean to the REST API, as an operator writes it in TOML."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveInt,
    Strict,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from shim.config import reasons
from shim.contracts.dates import ISO_8601, check_forms
from shim.query import Format
from shim.wire.answer_format import EmptyForm


class MappingError(Exception):
    """A mapping cannot be used; the message has one line for each mistake."""


class _MappingTable(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FixedValue(_MappingTable):
    """A value that every query gets, and that the caller does not send."""

    value: str

    def __str__(self) -> str:
        """Return a text that cannot be taken for the name of a parameter."""
        return f"always {self.value}"


class OptionalParameter(_MappingTable):
    """A parameter that a call may leave out.

    Attributes:
        parameter: The name of the parameter.
        default: The value that a call without it means.
    """

    parameter: Annotated[str, Field(min_length=1)]
    default: Annotated[str, Field(min_length=1)]

    def __str__(self) -> str:
        """Return the name and the default."""
        return f"{self.parameter} or {self.default}"


class RecordWidth(_MappingTable):
    """A width to which records are fitted.

    Attributes:
        width: Bytes of a record without its separator; narrower records are padded with spaces.
        wider: Whether wider records are cut or refused.
    """

    width: Annotated[PositiveInt, Strict()]
    wider: Literal["cut", "refuse"] = "cut"


ValueSource = str | OptionalParameter | FixedValue
"""Where a value of the query comes from: the parameter of a name, with or without a default, or a fixed value."""

DateForms = Annotated[tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)]
"""The names of forms of date; one form may be written without a list."""

RecordPolicy = Annotated[
    Literal["as-sent"] | RecordWidth,
    BeforeValidator(lambda value: {"width": value} if isinstance(value, int) else value),
]
"""The width of the records in an answer: as TOEFL Access sent them, or a width."""


def parameter_of(source: ValueSource) -> str:
    """Return the name of the parameter that a value comes from; empty for none."""
    if isinstance(source, FixedValue):
        return ""
    return source.parameter if isinstance(source, OptionalParameter) else source


class OperationMapping(_MappingTable):
    """What one operation means to the REST API.

    Attributes:
        startdate: The parameter with the start of the range.
        enddate: The parameter with the end of the range.
        type: The source of the test program.
        reportby: The source of the report-by value.
        credentials: The parameters with the user name and the password; None if it has no such parameters.
        pivot: The last year that two digits mean in a pattern of ``dates``; None if no pattern has ``YY``.
        dates: The forms of date that the operation takes, tried in this order.
        zone: The time zone, from the system's database, of whole days and of the times in text; None for UTC.
        format: The format that TOEFL Access is asked for.
        errors: Whether errors are SOAP faults, or in band: a sentence in the result.
        empty: The form of an answer without scores.
        records: The width of the records.
        unavailable: Why REST cannot answer the operation, as a sentence for its callers; then nothing else is needed.
    """

    startdate: str = ""
    enddate: str = ""
    type: ValueSource = ""
    reportby: ValueSource = ""
    credentials: tuple[str, str] | None = None
    pivot: Annotated[int, Field(strict=True, ge=100, le=9999)] | None = None
    dates: DateForms = Field(default=(ISO_8601,), validate_default=True)
    zone: ZoneInfo | None = None
    format: Format = "text"
    errors: Literal["fault", "in-band"] = "fault"
    empty: EmptyForm = "absent"
    records: RecordPolicy = "as-sent"
    unavailable: str = ""

    @field_validator("dates")
    @classmethod
    def _readable(cls, forms: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if "pivot" in info.data:  # otherwise it is a mistake itself
            check_forms(forms, info.data["pivot"])
        return forms

    @model_validator(mode="after")
    def _complete(self) -> Self:
        missing = [key for key, source in self.sources.items() if not source]
        if missing and not self.unavailable:
            raise ValueError(f"{', '.join(missing)} missing (or set unavailable to a sentence for the callers)")
        if self.format == "json" and self.records != "as-sent":
            raise ValueError('records must be "as-sent" where format is "json": JSON has no fixed-length records')
        return self

    @property
    def sources(self) -> Mapping[str, ValueSource]:
        """Where each value of the query comes from, by its key; empty for a key that is not set."""
        return {"startdate": self.startdate, "enddate": self.enddate, "type": self.type, "reportby": self.reportby}

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """The parameters that the operation must have, each as the key that names it and its own name."""
        named = ((key, parameter_of(source)) for key, source in self.sources.items())
        return (
            *((key, name) for key, name in named if name),
            *(("credentials", name) for name in self.credentials or ()),
        )

    def reporting_by(self, value: str) -> "OperationMapping":
        """Return the mapping with a fixed report-by value; an unavailable operation becomes available.

        Raises:
            ValidationError: Another key of the query is not set.
        """
        return OperationMapping.model_validate(self.model_dump() | {"reportby": {"value": value}, "unavailable": ""})


class _MappingDocument(_MappingTable):
    operations: dict[str, OperationMapping]


def load(path: Path) -> Mapping[str, OperationMapping]:
    """Read a mapping.

    Returns:
        The mapping of each operation, by its name.

    Raises:
        MappingError: The file cannot be read, or is not a mapping.
    """
    try:
        return _MappingDocument.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).operations
    except ValidationError as error:
        raise MappingError("\n".join(f"{path}: {reason}" for reason in reasons(error))) from error
    except OSError as error:
        raise MappingError(f"{path}: cannot be read ({error.strerror}): toefl-shim adopt drafts a mapping") from error
    except (ValueError, RecursionError) as error:  # tomllib raises others than its own TOMLDecodeError
        raise MappingError(f"{path}: is not a TOML file in UTF-8 ({error})") from error
