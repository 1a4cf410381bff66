"""What the tests of faults share: their rows in the table."""

from dataclasses import astuple

import pytest

from tests.faults.table import PROPERTY, AddRow, Row


@pytest.fixture
def row(request: pytest.FixtureRequest) -> AddRow:
    """Add a row to the table, before what it says is asserted; its outcome is that of the test."""

    place = request.session.items.index(request.node)

    def add(section: str, fault: str, *cells: object, named: str = "") -> None:
        size, answer, requests = [*map(str, cells), "", "", ""][:3]
        row = Row(section, fault, size, answer, requests, named)
        request.node.user_properties.append((PROPERTY, (place, *astuple(row))))

    return add
