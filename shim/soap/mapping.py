"""What the parts of a legacy WSDL mean, as an operator writes it in TOML."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from shim.config import reasons
from shim.query import Format
from shim.soap.dates import Form


class MappingError(Exception):
    """A mapping does not say what its operations mean; the message names every reason."""


class Fixed(BaseModel):
    """A value that the caller does not send."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: str


Source = str | Fixed
"""Where a value of the query comes from: a parameter by its name, or fixed."""


class Meaning(BaseModel):
    """What one operation means.

    Attributes:
        startdate: Parameter with the start of the range.
        enddate: Parameter with the end of the range.
        type: Test program.
        reportby: What the range selects by.
        credentials: Parameters with the user name and the password.
        dates: Forms of date that it takes, tried in this order.
        format: What is asked of TOEFL Access.
        unavailable: Why REST cannot answer it, as a sentence; nothing else is then needed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    startdate: str = ""
    enddate: str = ""
    type: Source = ""
    reportby: Source = ""
    credentials: tuple[str, str] | None = None
    dates: tuple[Form, ...] = ("ISO 8601",)
    format: Format = "text"
    unavailable: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not self.unavailable:
            missing = [name for name in ("startdate", "enddate", "type", "reportby") if not getattr(self, name)]
            if missing:
                raise ValueError(f"says nothing of {', '.join(missing)} (or say why it is unavailable)")
        return self

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of all parameters that it reads."""
        sources = (self.startdate, self.enddate, self.type, self.reportby, *(self.credentials or ()))
        return tuple(source for source in sources if isinstance(source, str) and source)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    operations: dict[str, Meaning]


def load(path: Path) -> Mapping[str, Meaning]:
    """Read a mapping: the meaning of each operation, by its name.

    Raises:
        MappingError: The file cannot be read, or is no mapping.
    """
    try:
        return _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).operations
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MappingError(f"{path}: {error}") from error
    except ValidationError as error:
        raise MappingError("\n".join(f"{path}: {reason}" for reason in reasons(error))) from error
