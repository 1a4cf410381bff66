"""The cases: requests as exact bytes, each a habit of some client that public bug reports show."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.asmx.wire import Pause

_FOLDER: Final = Path(__file__).parent / "cases"
GROUPS: Final = {
    "00": "Ordinary calls",
    "01": "Content-Encoding that is no compression",
    "02": "UTF-16, declared or real",
    "03": "Charsets and declarations",
    "04": "Content types",
    "05": "Stray bytes and byte order marks",
    "06": "Paths",
    "07": "Methods and discovery",
    "08": "SOAPAction",
    "09": "HTTP: Expect, connections, framing, headers",
    "10": "XML, WS-Security and WS-Addressing",
    "11": "Dates of GetScores (`xs:dateTime`)",
    "12": "Text dates and credentials",
    "13": "SOAP 1.2",
    "21": "Faults",
    "22": "Pauses",
    "24": "Whole days",
    "25": "Bytes after the envelope",
    "26": "Values left out, empty or nil",
    "27": "`xs:date` and `xs:dateTime` parameters",
}
"""By the first two digits of a case's name: what its group shows."""


@dataclass(frozen=True, slots=True)
class Case:
    """A request, or several on one connection.

    Attributes:
        name: The file's name, without its ending.
        data: All bytes.
        pauses: When the client pauses.
    """

    name: str
    data: bytes
    pauses: tuple[Pause, ...]

    @property
    def group(self) -> str:
        """What the case's group shows."""
        return GROUPS[self.name[:2]]


def _read(path: Path) -> Case:
    pauses = path.with_name(f"{path.name}.pause")
    lines = pauses.read_text(encoding="ascii").splitlines() if pauses.exists() else []
    split = [line.split() for line in lines if line]
    return Case(path.stem, path.read_bytes(), tuple(Pause(int(offset), float(seconds)) for offset, seconds in split))


CASES: Final = {case.name: case for case in map(_read, sorted(_FOLDER.glob("*.http")))}
"""All cases, by name."""
