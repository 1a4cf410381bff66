from pathlib import Path

import pytest

from shim.sandbox import DEMO_AUTHCODE


@pytest.fixture
def authcode_file(tmp_path: Path) -> Path:
    path = tmp_path / "authcode"
    path.write_text(f"{DEMO_AUTHCODE}\n")
    path.chmod(0o600)
    return path
