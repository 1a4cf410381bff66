"""What the parts of a legacy WSDL mean, as an operator writes it in TOML."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, PositiveInt, Strict, ValidationError, model_validator

from shim.config import reasons
from shim.contracts.dates import Form
from shim.query import Format
from shim.wire.answer import Empty


class MappingError(Exception):
    """A mapping does not say what its operations mean; the message names every reason."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Fixed(_Part):
    """A value that the caller does not send."""

    value: str

    def __str__(self) -> str:
        """Show the value as what it is: not a parameter."""
        return f"always {self.value}"


class Width(_Part):
    """A width of records.

    Attributes:
        width: Bytes, without the separator; narrower records are padded with spaces.
        wider: What becomes of wider ones.
    """

    width: Annotated[PositiveInt, Strict()]
    wider: Literal["cut", "refuse"] = "cut"


Source = str | Fixed
"""Where a value of the query comes from: a parameter by its name, or fixed."""

Records = Annotated[
    Literal["as-sent"] | Width,
    BeforeValidator(lambda value: {"width": value} if isinstance(value, int) else value),
]
"""How wide the records are that are answered."""


class Meaning(_Part):
    """What one operation means.

    Attributes:
        startdate: Parameter with the start of the range.
        enddate: Parameter with the end of the range.
        type: Test program.
        reportby: What the range selects by.
        credentials: Parameters with the user name and the password.
        dates: Forms of date that it takes, tried in this order.
        zone: Time zone, of the system's database, in which its whole days begin and end; UTC if unset.
        format: What is asked of TOEFL Access.
        errors: As SOAP faults, or in band: as a sentence in the result.
        empty: How an answer without scores looks.
        records: How wide its records are.
        unavailable: Why REST cannot answer it, as a sentence; nothing else is then needed.
    """

    startdate: str = ""
    enddate: str = ""
    type: Source = ""
    reportby: Source = ""
    credentials: tuple[str, str] | None = None
    dates: tuple[Form, ...] = ("ISO 8601",)
    zone: ZoneInfo | None = None
    format: Format = "text"
    errors: Literal["fault", "in-band"] = "fault"
    empty: Empty = "absent"
    records: Records = "as-sent"
    unavailable: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.unavailable:
            missing = [name for name in ("startdate", "enddate", "type", "reportby") if not getattr(self, name)]
            if missing:
                raise ValueError(f"says nothing of {', '.join(missing)} (or say why it is unavailable)")
        if self.format == "json" and self.records != "as-sent":
            raise ValueError("JSON has no records of a width")
        return self

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of all parameters that it reads."""
        named = (source for source in self.sources.values() if isinstance(source, str) and source)
        return (*named, *(self.credentials or ()))

    @property
    def sources(self) -> Mapping[str, Source]:
        """Where each part of the query comes from."""
        return {"startdate": self.startdate, "enddate": self.enddate, "type": self.type, "reportby": self.reportby}

    def reporting_by(self, value: str) -> "Meaning":
        """The meaning of an operation once somebody knows what it reports by.

        Raises:
            ValidationError: Then still something is missing.
        """
        return Meaning.model_validate(self.model_dump() | {"reportby": {"value": value}, "unavailable": ""})


class _File(_Part):
    operations: dict[str, Meaning]


def load(path: Path) -> Mapping[str, Meaning]:
    """Read a mapping: the meaning of each operation, by its name.

    Raises:
        MappingError: The file cannot be read, or is no mapping.
    """
    try:
        return _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).operations
    except ValidationError as error:
        raise MappingError("\n".join(f"{path}: {reason}" for reason in reasons(error))) from error
    except (OSError, ValueError, RecursionError) as error:  # tomllib lets out more than its own errors
        raise MappingError(f"{path}: {error}") from error
