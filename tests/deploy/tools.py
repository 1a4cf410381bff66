"""Where the files of ``deploy/`` are, and the programs that check them."""

import os
from pathlib import Path
from typing import Final

from tests.tools import require

ROOT: Final = Path(__file__).parent.parent.parent
DEPLOY: Final = ROOT / "deploy"


def tool(name: str) -> str:
    """A program of ``make tools``."""
    return require(name, install="make tools", path=f"{ROOT / '.venv-deploy' / 'bin'}{os.pathsep}{os.environ['PATH']}")
