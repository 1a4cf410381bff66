"""The contracts of the tests: WSDLs as they may be out there, each adopted, edited as little as an operator may."""

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
    """A contract, and the calls of its one operation.

    Attributes:
        name: Of its file; its path is the same.
        dates: A start and an end as its clients write them: in the form that its WSDL or its mapping says.
        selects: The range in UTC that these are.
        empty: A start and an end between which there are no scores.
        errors: How its errors come.
        edits: What its operator changes in the draft of its mapping.
        width: Of its records; ``None`` for as they were sent.
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
        """The range in UTC, to select scores by."""
        start, end = map(datetime.fromisoformat, self.selects)
        return start, end

    def adopt(self, folder: Path) -> dict[str, str]:
        """Let the command draft the mapping beside a copy of the WSDL, and edit it.

        Returns:
            The table of the contract in the configuration.
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
        # As ASP.NET made them; the days are those of New York.
        Contract(
            "asmx",
            dates=("04/21/2025", "04/21/2025"),
            selects=("2025-04-21T04:00:00", "2025-04-22T03:59:59"),
            empty=("04/21/2024", "04/22/2024"),
            errors="sentence",
            edits={'errors      = "in-band"': 'zone        = "America/New_York"\nerrors      = "in-band"'},
        ),
        # Document/literal bare; no scores are a nil result.
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
        # A result of text, in records of the old width.
        Contract(
            "text",
            dates=("2025-04-22", "2025-04-22"),
            selects=("2025-04-22T00:00:00", "2025-04-22T23:59:59"),
            empty=("2024-04-21", "2024-04-22"),
            errors="sentence",
            edits={'records     = "as-sent"': "records     = 900"},
            width=900,
        ),
        # Parameters and result in a type of another namespace, qualified there and not in its own; as drafted.
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
    """A score file with its records cut to a width."""
    body = b"".join(chunks)
    if width is None:
        return body
    return b"".join(line[:width] + b"\r\n" for line in body.splitlines())
