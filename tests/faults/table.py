"""The table of all that was made to go wrong, and of what became of it: a plugin of pytest, for ``make faults``."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import pytest

PROPERTY: Final = "fault row"
"""The name under which a test's report carries its rows."""
AddRow = Callable[..., None]
"""``row(section, fault, size="", answer="", requests="", named="")``."""

_WRITTEN: Final = Path("build/faults.md")
_TESTS: Final = "tests/faults/"
_NOT_PASSED: Final = ("failed", "error", "skipped", "deselected")
_BEGIN: Final = "<!-- make faults UPDATE=1: begin -->"
_END: Final = "<!-- make faults UPDATE=1: end -->"
_HEAD: Final = "| fault | size | what the caller gets | requests made | outcome |\n|---|---|---|---|---|"
_COUNTS: Final = "| what goes wrong | lines | tests | outcome |\n|---|---:|---:|---|"
_WORST_FIRST: Final = ("failed", "skipped", "passed")
_NAMED: Final = 5
"""How many of the inputs that end alike are named in a line."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one test made go wrong.

    Attributes:
        section: The heading that it stands under.
        fault: What went wrong, in a few words.
        size: Of the answer or request.
        answer: What the caller gets.
        requests: How many the upstream saw.
        named: Which of several inputs it was.
    """

    section: str
    fault: str
    size: str
    answer: str
    requests: str
    named: str


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the document that holds the table."""
    parser.addoption("--update", metavar="FILE", help="put the table of faults between its two marks in this file")
    parser.addoption("--check", metavar="FILE", help="fail if the table between the two marks in this file is another")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table, and write it."""
    reports = cast("Iterable[object]", (report for found in terminalreporter.stats.values() for report in found))
    table = markdown(_rows(report for report in reports if isinstance(report, pytest.TestReport)))
    terminalreporter.write_line(f"\n{table}")
    written = config.rootpath / _WRITTEN
    written.parent.mkdir(exist_ok=True)
    written.write_text(table, encoding="utf-8")
    not_passed = (found for kind in _NOT_PASSED for found in terminalreporter.stats.get(kind, ()))
    missing = any(found.nodeid.startswith(_TESTS) for found in not_passed)
    if document := config.getoption("--update"):
        # A table with something missing would look like one of a smaller promise.
        if missing:
            raise pytest.UsageError(f"{document} is left as it is: not every test was run and passed")
        update(config.rootpath / document, table)
    document = config.getoption("--check")
    if document and not missing and table not in (config.rootpath / document).read_text(encoding="utf-8"):
        raise pytest.UsageError(f"{document} tells of other faults than were seen: make faults UPDATE=1")


def markdown(rows: Iterable[tuple[Row, str]]) -> str:
    """The table of rows and the outcomes of their tests; a fault that ends alike in several sizes is one line."""
    sections: dict[str, dict[tuple[str, str, str], list[tuple[Row, str]]]] = {}
    for row, outcome in rows:
        lines = sections.setdefault(row.section, {})
        lines.setdefault((row.fault, row.answer, row.requests), []).append((row, outcome))
    parts = [f"{_COUNTS}\n{_counts(sections)}\n"]
    parts += [f"### {name}\n\n{_HEAD}\n{_lines(lines)}\n" for name, lines in sections.items()]
    return "\n".join(parts)


def _counts(sections: dict[str, dict[tuple[str, str, str], list[tuple[Row, str]]]]) -> str:
    counted = {name: [test for tests in lines.values() for test in tests] for name, lines in sections.items()}
    lines = [f"| {name} | {len(sections[name])} | {len(tests):,} | {_told(tests)} |" for name, tests in counted.items()]
    all_tests = [test for tests in counted.values() for test in tests]
    lines.append(f"| **all** | {sum(map(len, sections.values()))} | {len(all_tests):,} | {_told(all_tests)} |")
    return "\n".join(lines)


def update(document: Path, table: str) -> None:
    """Put the table between the two marks of a document."""
    before, begin, rest = document.read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise pytest.UsageError(f"{document} has no lines {_BEGIN} and {_END}")
    document.write_text(f"{before}{begin}\n\n{table}\n{end}{after}", encoding="utf-8")


def _rows(reports: Iterable[pytest.TestReport]) -> Iterator[tuple[Row, str]]:
    # A test has a report for its set-up, itself and its end; each holds all rows, and any can be the one that failed.
    outcomes: dict[tuple[int, int], tuple[Row, str]] = {}
    for report in reports:
        for number, value in enumerate(value for name, value in report.user_properties if name == PROPERTY):
            place, *cells = cast("tuple[int, str, str, str, str, str, str]", value)
            key, row = (place, number), Row(*cells)
            outcomes[key] = row, _worst((report.outcome, outcomes.get(key, (row, "passed"))[1]))
    # Several processes report in whatever order they come to an end.
    return (outcomes[key] for key in sorted(outcomes))


def _lines(lines: dict[tuple[str, str, str], list[tuple[Row, str]]]) -> str:
    return "\n".join(
        f"| {fault}{_names(tests)} | {_sizes(tests)} | {answer} | {requests} | {_told(tests)} |"
        for (fault, answer, requests), tests in lines.items()
    )


def _names(tests: list[tuple[Row, str]]) -> str:
    names = list(dict.fromkeys(row.named for row, _ in tests if row.named))
    if not names:
        return ""
    # From all over the list: neighbours are much alike.
    named = names if len(names) <= _NAMED else [names[at * len(names) // _NAMED] for at in range(_NAMED)]
    more = f"; and {len(names) - len(named)} more" if len(names) > len(named) else ""
    return f": {'; '.join(named)}{more}".replace("|", "\\|")


def _sizes(tests: list[tuple[Row, str]]) -> str:
    return ", ".join(dict.fromkeys(row.size for row, _ in tests if row.size))


def _told(tests: list[tuple[Row, str]]) -> str:
    found = [outcome for _, outcome in tests]
    return ", ".join(f"{found.count(outcome):,} {outcome}" for outcome in _WORST_FIRST if outcome in found)


def _worst(outcomes: Iterable[str]) -> str:
    return min(outcomes, key=_WORST_FIRST.index)
