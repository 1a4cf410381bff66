"""The table of all cases, with the answers of ASMX and of the gateway: a plugin of pytest, for ``make asmx``."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import pytest

PROPERTY: Final = "asmx row"
"""The name under which a test's report carries its row."""

REFUSED: Final = "refused on purpose: "
"""What the verdict of a refusal on purpose begins with; its kind follows."""

_WRITTEN: Final = Path("build/asmx.md")
_TESTS: Final = "tests/asmx/test_cases.py"
_NOT_RUN: Final = ("error", "skipped", "deselected")
_BEGIN: Final = "<!-- make asmx UPDATE=1: begin -->"
_END: Final = "<!-- make asmx UPDATE=1: end -->"
_HEAD: Final = "| case | ASMX | the gateway | verdict |\n|---|---|---|---|"
_COUNTS: Final = "| verdict | cases |\n|---|---:|"


@dataclass(frozen=True, slots=True)
class Row:
    """One case.

    Attributes:
        group: What its group shows.
        case: Its name.
        service: What ASMX answered.
        gateway: What the gateway answered.
        verdict: How the two compare.
        why: Why the gateway refuses on purpose; empty elsewhere.
    """

    group: str
    case: str
    service: str
    gateway: str
    verdict: str
    why: str


AddRow = Callable[[Row], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the document that holds the table."""
    parser.addoption("--update", metavar="FILE", help="put the table of cases between its two marks in this file")
    parser.addoption("--check", metavar="FILE", help="fail if the table between the two marks in this file is another")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Write the table, and put it into the document or compare it with the document."""
    found = cast("Iterable[object]", (report for reports in terminalreporter.stats.values() for report in reports))
    table = markdown(_rows(report for report in found if isinstance(report, pytest.TestReport)))
    written = config.rootpath / _WRITTEN
    written.parent.mkdir(exist_ok=True)
    written.write_text(table, encoding="utf-8")
    if document := config.getoption("--update"):
        if not _all_ran(terminalreporter):
            raise pytest.UsageError(f"{document} is left as it is: not every case was run")
        update(config.rootpath / document, table)
    elif (document := config.getoption("--check")) and _all_ran(terminalreporter):
        check(config.rootpath / document, table)


def markdown(rows: Iterable[Row]) -> str:
    """Return the table of rows, by group, after the count of each verdict and the refusals on purpose."""
    ordered = sorted(rows, key=lambda row: row.case)
    counts = Counter(row.verdict for row in ordered)
    parts = [f"{_COUNTS}\n" + "".join(f"| {verdict} | {count:,} |\n" for verdict, count in sorted(counts.items()))]
    reasons = {row.verdict.removeprefix(REFUSED): row.why for row in ordered if row.why}
    lines = (f"- **{kind}:** {why}\n" for kind, why in sorted(reasons.items()))
    parts.append("### Refused on purpose\n\n" + "".join(lines))
    for group in dict.fromkeys(row.group for row in ordered):
        rows_of_group = "\n".join(_line(row) for row in ordered if row.group == group)
        parts.append(f"### {group}\n\n{_HEAD}\n{rows_of_group}\n")
    return "\n".join(parts)


def update(document: Path, table: str) -> None:
    """Put the table between the two marks of a document."""
    before, begin, rest = document.read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise pytest.UsageError(f"{document} has no lines {_BEGIN} and {_END}")
    document.write_text(f"{before}{begin}\n\n{table}\n{end}{after}", encoding="utf-8")


def check(document: Path, table: str) -> None:
    """Fail if the table of a document is another."""
    if table not in document.read_text(encoding="utf-8"):
        raise pytest.UsageError(f"{document} tells of other answers than were seen: make asmx UPDATE=1")


def _all_ran(terminalreporter: pytest.TerminalReporter) -> bool:
    left_out = (one for kind in _NOT_RUN for one in terminalreporter.stats.get(kind, ()))
    return not any(one.nodeid.startswith(_TESTS) for one in left_out)


def _rows(reports: Iterable[pytest.TestReport]) -> Iterator[Row]:
    # The reports of a test's set-up, call and end all carry its row.
    found = {
        row.case: row
        for report in reports
        for name, value in report.user_properties
        if name == PROPERTY
        for row in [Row(*cast("tuple[str, str, str, str, str, str]", value))]
    }
    return iter(found.values())


def _line(row: Row) -> str:
    cells = (f"`{row.case}`", row.service, row.gateway, row.verdict)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
