"""The base of every table of settings, and the words for what is wrong in one."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

# pydantic's own words speak of fields and inputs, which an operator has not seen.
_PLAIN: Final[Mapping[str, str]] = {"missing": "is required", "extra_forbidden": "no such setting"}


class SettingsSection(BaseModel):
    """A table of the configuration file. A key that the table does not define is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def mistakes(self) -> Iterable[str]:
        """Return what is wrong between the settings of this table, one sentence each, once each setting is valid."""
        return ()

    @model_validator(mode="after")
    def _has_no_mistakes(self) -> Self:
        found = list(self.mistakes())
        if found:
            raise ValueError("\n".join(found))
        return self


def reasons(error: ValidationError, *section: str) -> list[str]:
    """Return one line for each mistake: the setting, a colon and what is wrong. No line holds a value.

    Args:
        error: What pydantic found.
        section: Where the validated value belongs, to put before each setting.
    """
    return [
        line for item in error.errors(include_input=False, include_url=False) for line in _lines(dict(item), section)
    ]


def _lines(item: Mapping[str, Any], section: tuple[str, ...]) -> Iterator[str]:
    setting = ".".join(map(str, (*section, *item["loc"])))
    text: str = _PLAIN.get(item["type"], item["msg"].removeprefix("Value error, "))
    return (f"{setting}: {sentence}" if setting else sentence for sentence in text.splitlines())
