"""Programs that some tests need and that may not be installed."""

import os
import shutil

import pytest


def require(program: str, *, install: str) -> str:
    """Find a program; without it the test is skipped, but fails where everything should be installed.

    Args:
        program: Its name on PATH.
        install: The command that installs it.

    Returns:
        Its path.
    """
    path = shutil.which(program)
    if path is None:
        reason = f"{program} is not installed: {install}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path
