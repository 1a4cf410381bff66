"""The rows of the tests of faults in the table."""

from dataclasses import astuple

import pytest

from tests.faults.table import PROPERTY, AddRow, Row


@pytest.fixture
def row(request: pytest.FixtureRequest) -> AddRow:
    """Return a function that adds a row to the table; the row's outcome is the test's."""

    place = request.session.items.index(request.node)

    def add(section: str, fault: str, *cells: object, named: str = "") -> None:
        size, answer, requests = [*map(str, cells), "", "", ""][:3]
        row = Row(section, fault, size, answer, requests, named)
        request.node.user_properties.append((PROPERTY, (place, *astuple(row))))

    return add
