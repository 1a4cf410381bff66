"""How much the gateway carries, by arithmetic from ``bench/RESULTS.md``, as a table in ``deploy/CAPACITY.md``."""

import re
from pathlib import Path
from typing import Final, NamedTuple

_HERE: Final = Path(__file__).parent
PAGE: Final = _HERE.parent / "deploy" / "CAPACITY.md"
BEGIN: Final = "<!-- python -m bench.capacity: begin -->\n"
END: Final = "<!-- python -m bench.capacity: end -->\n"

_RECORD: Final = 1600
# What is not used, so that a core that is slower than the measured one, or a burst, is no incident.
_USED: Final = 0.6
_CORES: Final = {"one core": 1, "one node, 8 cores": 8, "ten replicas of 2 cores": 20}
# The load, all of it assumed: each institution asks every hour, all within the same five minutes.
_INSTITUTIONS: Final = {"one institution, 50 clients": 50, "500 institutions": 500, "all that take it, 13,000": 13_000}
_BURST: Final = 300
_RECORDS_AN_HOUR: Final = 20


class Cost(NamedTuple):
    """CPU of a call.

    Attributes:
        call: Milliseconds for one with one record.
        megabyte: Milliseconds more for each megabyte of scores.
    """

    call: float
    megabyte: float

    def of(self, records: int) -> float:
        """Milliseconds of a call with so many records."""
        return self.call + self.megabyte * (records - 1) * _RECORD / 1e6


def measured(text: str) -> Cost:
    """The costs that a page of results tells of.

    Raises:
        ValueError: It does not.
    """
    small = re.search(r"### Small calls: 1 record, 16 clients\n.*?\n\| gateway \|([^\n]+)", text, re.DOTALL)
    large = re.search(r"### Large answers: 10,000 records, 1 client\n.*?\n\| gateway \|([^\n]+)", text, re.DOTALL)
    if not small or not large:
        raise ValueError("the page has no figures of the gateway")
    call, answer = float(small[1].split("|")[5]), float(large[1].split("|")[2])
    return Cost(call, (answer - call) / (10_000 * _RECORD / 1e6))


def table(cost: Cost) -> str:
    """The arithmetic, as Markdown."""
    lines = [
        f"Measured: {cost.call:.2f} ms of CPU a call, and {cost.megabyte:.2f} ms more for each MB of scores.",
        f"Planned with {_USED:.0%} of each core.",
        "",
        "| | calls/s of 1 record | of 100 records | of 10,000 records | MB/s of scores, large files |",
        "|---|---|---|---|---|",
    ]
    for name, cores in _CORES.items():
        rates = [f"{_USED * cores * 1000 / cost.of(records):,.0f}" for records in (1, 100, 10_000)]
        lines.append(f"| {name} | {' | '.join(rates)} | {_USED * cores * 1000 / cost.megabyte:,.0f} |")
    lines += ["", "| load | calls/s in the burst | MB/s | cores busy | that is |", "|---|---|---|---|---|"]
    for name, callers in _INSTITUTIONS.items():
        rate = callers / _BURST
        busy = rate * cost.of(_RECORDS_AN_HOUR) / 1000
        size = rate * _RECORDS_AN_HOUR * _RECORD / 1e6
        lines.append(f"| {name} | {rate:,.1f} | {size:,.2f} | {busy:.3f} | {busy / _USED:.1%} of one core's plan |")
    return "\n".join(lines) + "\n"


def write() -> None:
    """Put the table into its page."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    made = table(measured((_HERE / "RESULTS.md").read_text(encoding="utf-8")))
    PAGE.write_text(f"{before}{BEGIN}\n{made}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    write()
