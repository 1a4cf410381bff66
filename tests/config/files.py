"""Configuration files, and what loading them gives."""

from pathlib import Path
from typing import Final

import pytest

from shim import config
from shim.config import Config, ConfigError

GOOD: Final = """\
[upstream]
url = "https://toeflaccess-api.example.edu/scores"

[[authcodes]]
name = "main"
env = "TOEFL_AUTHCODE"
"""


def written(folder: Path, text: str | bytes = GOOD) -> Path:
    path = folder / "shim.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def loaded(folder: Path, text: str = GOOD) -> Config:
    return config.load(written(folder, text))


def refused(folder: Path, text: str | bytes = GOOD) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        config.load(written(folder, text))
    return str(caught.value).splitlines()
