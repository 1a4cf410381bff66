"""What holds for every test: nothing secret in its output, and no judgement by the machine's speed."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import postgresql
from tests.planted import planted

# pytest-xdist tells its workers how wide the terminal is; tables are to be as wide as each test says.
os.environ.pop("COLUMNS", None)

settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test in whose output or log an authcode, a password or a field of a record stands."""
    report = yield
    output = "\n".join(text for title, text in report.sections if title.startswith("Captured"))
    found = [name for name, value in planted().items() if value in output]
    if found:
        report.outcome = "failed"
        report.longrepr = f"the output of the test holds {', '.join(found)}"
    return report


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgresql.Cluster]:
    """A PostgreSQL."""
    with postgresql.running() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    running: postgresql.Cluster = request.getfixturevalue("cluster")
    return running.database()
