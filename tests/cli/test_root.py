import re
from importlib.metadata import version

import pytest

from shim import __version__
from tests.cli.commands import invoke


def test_version() -> None:
    first, contract, spyne = invoke(["--version"]).output.splitlines()
    assert first == f"toefl-shim {__version__}"
    assert re.fullmatch("contract TOEFLEdm, sha256 [0-9a-f]{12}", contract)
    assert spyne == f"spyne {version('spyne')}"


COMMANDS = ["serve", "sandbox", "demo", "check", "adopt", "contract", "compare", "successor", "callers", "authcode"]


def test_help_lists_every_command_with_what_it_does() -> None:
    shown = invoke(["--help"], {"COLUMNS": "200"}).output
    listed = [line.strip(" │").split(maxsplit=1) for line in shown.splitlines() if line.startswith("│")]
    found = [name for name, *text in listed if name in COMMANDS and text]
    assert found == COMMANDS
    assert "completion" not in shown


@pytest.mark.parametrize(
    "command",
    [
        *([name] for name in COMMANDS),
        ["callers", "migrated"],
        ["callers", "add"],
        ["authcode", "encode"],
        ["authcode", "inspect"],
    ],
    ids=" ".join,
)
def test_every_command_explains_itself(command: list[str]) -> None:
    shown = invoke([*command, "--help"])
    assert shown.exit_code == 0
    assert len(shown.output) > 200
    assert "completion" not in shown.output


def test_a_misspelt_command_is_told_what_was_meant() -> None:
    shown = invoke(["chek"], {"COLUMNS": "200"})
    assert shown.exit_code == 2
    assert "No such command 'chek'. Did you mean 'check'" in shown.output
