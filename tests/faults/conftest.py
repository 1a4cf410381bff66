"""What the tests of faults share: their rows in the table."""

from dataclasses import astuple

import pytest

from tests.faults.table import PROPERTY, AddRow, Row


@pytest.fixture
def row(request: pytest.FixtureRequest) -> AddRow:
    """Add a row to the table, before what it says is asserted; its outcome is that of the test."""

    def add(section: str, fault: str, size: str = "", answer: str = "", requests: object = "") -> None:
        request.node.user_properties.append((PROPERTY, astuple(Row(section, fault, size, answer, str(requests)))))

    return add
