"""Programs that some tests need and that may not be installed."""

import os
import shutil

import pytest


def require(program: str, *, install: str, path: str | None = None) -> str:
    """Find a program; without it the test is skipped, but fails where everything should be installed.

    Args:
        program: Its name.
        install: The command that installs it.
        path: Where to look, instead of PATH.

    Returns:
        Its path.
    """
    found = shutil.which(program, path=path)
    if found is None:
        reason = f"{program} is not installed: {install}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found
