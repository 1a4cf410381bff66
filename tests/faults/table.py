"""The table of all that was made to go wrong, and of what became of it: a plugin of pytest, for ``make faults``."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import pytest

PROPERTY: Final = "fault row"
"""The name under which a test's report carries its rows."""
AddRow = Callable[..., None]
"""``row(section, fault, size="", answer="", requests="")``."""

_WRITTEN: Final = Path("build/faults.md")
_BEGIN: Final = "<!-- make faults UPDATE=1: begin -->"
_END: Final = "<!-- make faults UPDATE=1: end -->"
_HEAD: Final = "| fault | size | what the caller gets | requests made | outcome |\n|---|---|---|---|---|"
_WORST_FIRST: Final = ("failed", "skipped", "passed")


@dataclass(frozen=True, slots=True)
class Row:
    """What one test made go wrong.

    Attributes:
        section: The heading that it stands under.
        fault: What went wrong, in a few words.
        size: Of the answer or request.
        answer: What the caller gets.
        requests: How many the upstream saw.
    """

    section: str
    fault: str
    size: str
    answer: str
    requests: str


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the document to put the table into."""
    parser.addoption("--update", metavar="FILE", help="put the table of faults between its two marks in this file")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table, and write it."""
    reports = cast("Iterable[object]", (report for found in terminalreporter.stats.values() for report in found))
    table = markdown(_rows(report for report in reports if isinstance(report, pytest.TestReport)))
    terminalreporter.write_line(f"\n{table}")
    written = config.rootpath / _WRITTEN
    written.parent.mkdir(exist_ok=True)
    written.write_text(table, encoding="utf-8")
    if document := config.getoption("--update"):
        # A table with something missing would look like one of a smaller promise.
        if terminalreporter.stats.keys() & {"failed", "error", "skipped", "deselected"}:
            raise pytest.UsageError(f"{document} is left as it is: not every test was run and passed")
        update(config.rootpath / document, table)


def markdown(rows: Iterable[tuple[Row, str]]) -> str:
    """The table of rows and the outcome of their tests; a fault that ends alike in several sizes is one line."""
    sections: dict[str, dict[tuple[str, str, str], list[tuple[str, str]]]] = {}
    for row, outcome in rows:
        lines = sections.setdefault(row.section, {})
        lines.setdefault((row.fault, row.answer, row.requests), []).append((row.size, outcome))
    return "\n".join(f"### {name}\n\n{_HEAD}\n{_lines(lines)}\n" for name, lines in sections.items())


def update(document: Path, table: str) -> None:
    """Put the table between the two marks of a document."""
    before, begin, rest = document.read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise pytest.UsageError(f"{document} has no lines {_BEGIN} and {_END}")
    document.write_text(f"{before}{begin}\n\n{table}\n{end}{after}", encoding="utf-8")


def _rows(reports: Iterable[pytest.TestReport]) -> Iterator[tuple[Row, str]]:
    # A test has a report for its set-up, itself and its end; each holds all rows, and any can be the one that failed.
    outcomes: dict[tuple[str, int], tuple[Row, str]] = {}
    for report in reports:
        for number, values in enumerate(value for name, value in report.user_properties if name == PROPERTY):
            key, row = (report.nodeid, number), Row(*cast("tuple[str, str, str, str, str]", values))
            outcomes[key] = row, _worst((report.outcome, outcomes.get(key, (row, "passed"))[1]))
    return iter(outcomes.values())


def _lines(lines: dict[tuple[str, str, str], list[tuple[str, str]]]) -> str:
    return "\n".join(
        f"| {fault} | {_sizes(ended)} | {answer} | {requests} | {_worst(outcome for _, outcome in ended)} |"
        for (fault, answer, requests), ended in lines.items()
    )


def _sizes(ended: list[tuple[str, str]]) -> str:
    return ", ".join(dict.fromkeys(size for size, _ in ended if size))


def _worst(outcomes: Iterable[str]) -> str:
    return min(outcomes, key=_WORST_FIRST.index)
