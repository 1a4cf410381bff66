import importlib
import importlib.util
import subprocess
import sys

import pytest

from shim.contracts import spyne_compat

SIX = "spyne.util.six"


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter, where every warning is an error."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False, timeout=60
    )


def test_spyne_is_imported_without_a_warning() -> None:
    done = run("import shim.contracts.spyne_compat, spyne, spyne.server, spyne.protocol.xml")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_missing_module_is_still_missing() -> None:
    done = run(
        "import shim.contracts.service\ntry:\n  import no_such_module\nexcept ModuleNotFoundError:\n  print('missing')"
    )
    assert (done.stdout, done.stderr) == ("missing\n", "")


@pytest.mark.parametrize(
    "name", ["moves", "moves.urllib", "moves.urllib.parse", "moves.http_client", "moves.configparser"]
)
def test_the_modules_of_the_vendored_six_are_found(name: str) -> None:
    importlib.import_module("spyne")
    assert importlib.import_module(f"{SIX}.{name}") is sys.modules[f"{SIX}.{name}"]


@pytest.mark.parametrize("name", [f"{SIX}.moves.nothing", "six.moves", "shim.moves"])
def test_no_other_module_is_found(name: str) -> None:
    importlib.import_module("spyne")
    ours = [finder for finder in sys.meta_path if type(finder).__module__ == spyne_compat.__name__]
    assert len(ours) == 1
    assert ours[0].find_spec(name, None) is None
