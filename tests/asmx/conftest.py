"""The judge, and the rows of its table."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple

import pytest
from hypothesis import settings

from tests.asmx.case import CASES
from tests.asmx.judge import Judge, running_judge
from tests.asmx.table import PROPERTY, AddRow, Row
from tests.asmx.verdicts import Verdicts

settings.register_profile("asmx-nightly", settings.get_profile("project"), max_examples=5_000)


@pytest.fixture(scope="session")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    with running_judge(tmp_path_factory.mktemp("judge")) as running:
        yield running


@pytest.fixture(scope="session")
def verdicts(judge: Judge, request: pytest.FixtureRequest) -> Iterator[Verdicts]:
    selected = {item.name.partition("[")[2].removesuffix("]") for item in request.session.items}
    paused = [case for case in CASES.values() if case.pauses and case.name in selected]
    with ThreadPoolExecutor(max_workers=2 * len(paused) or 1) as pool:
        yield Verdicts(judge, pool, paused)


@pytest.fixture
def row(request: pytest.FixtureRequest) -> AddRow:
    """Add a row to the table, before its verdict is asserted."""

    def add(row: Row) -> None:
        request.node.user_properties.append((PROPERTY, astuple(row)))

    return add
