from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from shim.sandbox import DEMO_AUTHCODE


@pytest.fixture(autouse=True)
def log_defaults() -> Iterator[None]:
    """Undo what a command has set up for its own process."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def authcode_file(tmp_path: Path) -> Path:
    path = tmp_path / "authcode"
    path.write_text(f"{DEMO_AUTHCODE}\n")
    path.chmod(0o600)
    return path
