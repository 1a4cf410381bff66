import os

import pytest

from shim import config


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith(config.PREFIX):
            monkeypatch.delenv(name)
