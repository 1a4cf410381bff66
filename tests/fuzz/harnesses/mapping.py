"""A mapping as TOML: read whole or refused with reasons, and what is read can be worked with."""

import tempfile
import tomllib
from functools import cache
from pathlib import Path
from typing import Final, cast

from shim.contracts import mapping
from shim.contracts.dates import DateReader
from shim.contracts.mapping import FixedValue, MappingError, OperationMapping, RecordWidth, parameter_of
from tests.fuzz.inputs import expanded

WORDS: Final = tuple(
    word.encode()
    for word in (
        *(
            *OperationMapping.model_fields,
            "value",
            "parameter",
            "default",
            "width",
            "wider",
            "cut",
            "refuse",
            "as-sent",
            "in-band",
            "fault",
            "nil",
        ),
        *(
            "[operations.A]",
            "[operations.",
            "[[",
            '"ISO 8601"',
            '"MM/DD/YYYY"',
            '".NET en-US"',
            '"D/M/YY"',
            '"YYYYMMDDTHHmmss"',
            "{ value = ",
            " = ",
            '"Europe/Berlin"',
        ),
        *(
            "{ parameter = ",
            ", default = ",
            "pivot = 2049",
            "YYYY",
            "MON",
            "h:mm AM/PM",
            "0x",
            "1e9",
            "inf",
            "true",
            "1979-05-27",
            "'''",
            '"""',
            "\\u0000",
            "\\ud800",
            "= 900",
            "\x1a\x01\x0c",
        ),
    )
)
_MOST: Final = 8192
"""Bytes: tomllib takes quadratic time for keys of many parts, which no operator writes."""
_SENTENCES: Final = 300
"""Characters of a reason, besides names that the file itself has."""


@cache
def _path() -> Path:
    """A file to write to, gone with the process."""
    _FOLDERS.append(tempfile.TemporaryDirectory(prefix="toefl-shim-fuzz-"))
    return Path(_FOLDERS[-1].name) / "legacy.toml"


_FOLDERS: Final[list[tempfile.TemporaryDirectory[str]]] = []


def run(data: bytes) -> None:
    """A file."""
    text = expanded(data)[:_MOST]
    path = _path()
    path.write_bytes(text)
    try:
        mappings = mapping.load(path)
    except MappingError as error:
        told = str(error)
        assert told.startswith(f"{path}: ")
        assert max(map(len, told.split(f"{path}: "))) <= _SENTENCES + len(text)
        return
    # As Python reads a file of text.
    written = tomllib.loads(text.decode().replace("\r\n", "\n").replace("\r", "\n"))["operations"]
    assert mappings.keys() == written.keys()
    for name, mapped in mappings.items():
        _check(mapped, written[name])


def _check(mapped: OperationMapping, written: dict[str, object]) -> None:
    for key, said in written.items():
        found = getattr(mapped, key)
        if key == "dates":
            assert found == ((said,) if isinstance(said, str) else tuple(cast("list[str]", said)))
        elif isinstance(said, str) and not isinstance(found, str):
            assert key == "zone"
            assert str(found) == said
        elif isinstance(said, str):
            assert found == said
    assert mapped.unavailable or all(mapped.sources.values())
    assert all(isinstance(name, str) for _, name in mapped.parameters)
    assert all(parameter_of(one) in str(one) for one in mapped.sources.values())
    assert DateReader(mapped.dates, pivot=mapped.pivot)
    assert isinstance(mapped.records, RecordWidth) or mapped.records == "as-sent"
    assert not isinstance(mapped.records, RecordWidth) or mapped.records.width > 0
    if mapped.startdate and mapped.enddate and mapped.type:
        known = mapped.reporting_by("synthetic")
        assert known.reportby == FixedValue(value="synthetic")
        assert not known.unavailable
        assert (known.records, known.dates, known.zone, known.pivot) == (
            mapped.records,
            mapped.dates,
            mapped.zone,
            mapped.pivot,
        )
