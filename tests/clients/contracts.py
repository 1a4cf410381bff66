"""The contracts of the tests: WSDLs as operators may bring them, adopted, with few edits."""

import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

WSDLS: Final = Path(__file__).parent / "wsdl"


@dataclass(frozen=True)
class Contract:
    """A contract with one operation, and calls of it.

    Attributes:
        name: The name of its file and of its path.
        dates: A start and an end, as its clients write them.
        selects: The range in UTC that the dates mean.
        empty: A start and an end without scores between them.
        errors: The form of its errors.
        edits: The operator's edits of the drafted mapping: old text and new.
        width: The width of its records in bytes; ``None`` for the width that the upstream sends.
    """

    name: str
    dates: tuple[str, str]
    selects: tuple[str, str]
    empty: tuple[str, str]
    errors: Literal["fault", "sentence"]
    edits: Mapping[str, str] = field(default_factory=dict)
    width: int | None = None

    @property
    def range(self) -> tuple[datetime, datetime]:
        """The range in UTC."""
        start, end = map(datetime.fromisoformat, self.selects)
        return start, end

    def adopt(self, folder: Path) -> dict[str, str]:
        """Copy the WSDL to a folder, run ``adopt`` on it, and edit the drafted mapping.

        Returns:
            The contract's table for the configuration.
        """
        wsdl = folder / f"{self.name}.wsdl"
        wsdl.write_bytes((WSDLS / wsdl.name).read_bytes())
        command = [sys.executable, "-m", "shim", "adopt", str(wsdl)]
        written = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        mapping = wsdl.with_suffix(".toml")
        assert written.startswith(f"Wrote {mapping}\n")
        text = mapping.read_text(encoding="utf-8")
        for drafted, wanted in self.edits.items():
            assert text.count(drafted) == 1
            text = text.replace(drafted, wanted)
        mapping.write_text(text, encoding="utf-8")
        return {
            "path": f"/{self.name}",
            "wsdl": str(wsdl),
            "mapping": str(mapping),
            "wsdl_path": f"/{self.name}.wsdl",
        }


CONTRACTS: Final = {
    contract.name: contract
    for contract in (
        # As ASP.NET made it; its days are days in New York.
        Contract(
            "asmx",
            dates=("04/21/2025", "04/21/2025"),
            selects=("2025-04-21T04:00:00", "2025-04-22T03:59:59"),
            empty=("04/21/2024", "04/22/2024"),
            errors="sentence",
            edits={'errors      = "in-band"': 'zone        = "America/New_York"\nerrors      = "in-band"'},
        ),
        # Document/literal bare; an empty score file is a nil result.
        Contract(
            "bare",
            dates=("2025-04-21T16:45:03", "2025-04-22T16:52:13"),
            selects=("2025-04-21T16:45:03", "2025-04-22T16:52:13"),
            empty=("2024-04-21T16:45:03", "2024-04-22T16:52:13"),
            errors="fault",
            edits={'errors      = "in-band"': 'errors      = "fault"', 'empty       = "absent"': 'empty       = "nil"'},
        ),
        # rpc/literal.
        Contract(
            "rpc",
            dates=("2025-04-21", "2025-04-22"),
            selects=("2025-04-21T00:00:00", "2025-04-22T23:59:59"),
            empty=("2024-04-21", "2024-04-22"),
            errors="fault",
            edits={'errors      = "in-band"': 'errors      = "fault"'},
        ),
        # A text result, with records of the old width.
        Contract(
            "text",
            dates=("2025-04-22", "2025-04-22"),
            selects=("2025-04-22T00:00:00", "2025-04-22T23:59:59"),
            empty=("2024-04-21", "2024-04-22"),
            errors="sentence",
            edits={'records     = "as-sent"': "records     = 900"},
            width=900,
        ),
        # Parameters and result have a type from another namespace, with qualified elements there only; not edited.
        Contract(
            "nested",
            dates=("2025-04-21T16:45:03", "2025-04-22T16:52:13"),
            selects=("2025-04-21T16:45:03", "2025-04-22T16:52:13"),
            empty=("2024-04-21T16:45:03", "2024-04-22T16:52:13"),
            errors="fault",
        ),
    )
}


def cut(chunks: Iterable[bytes], width: int | None) -> bytes:
    """Join a score file, with its records cut to a width."""
    body = b"".join(chunks)
    if width is None:
        return body
    return b"".join(line[:width] + b"\r\n" for line in body.splitlines())
