"""The place of the files of ``deploy/``, and the programs that check them."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.tools import require

ROOT: Final = Path(__file__).parent.parent.parent
DEPLOY: Final = ROOT / "deploy"


def tool(name: str) -> str:
    """Return the path of a program that ``make tools`` installs."""
    return require(name, install="make tools", path=f"{ROOT / '.venv-deploy' / 'bin'}{os.pathsep}{os.environ['PATH']}")


def run(
    *command: str | Path, cwd: Path | None = None, stdin: str = "", environment: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end, and capture its output."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        input=stdin,
        env=os.environ | (environment or {}),
        capture_output=True,
        text=True,
        check=False,
    )


def said(*command: str | Path, cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> str:
    """Run a program that must succeed, and return its output."""
    ended = run(*command, cwd=cwd, environment=environment)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout
