import pytest

from tests.cli.commands import invoke


@pytest.mark.parametrize("arguments", [["--bind", "0.0.0.0:8081"], ["--width", "900", "--scale", "ibt26"]])
def test_sandbox_refuses_what_it_cannot_do(arguments: list[str]) -> None:
    shown = invoke(["sandbox", *arguments])
    assert (shown.exit_code, "refused" in shown.output) == (1, True)
