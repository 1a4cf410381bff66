import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from typer.testing import CliRunner

from shim import __version__
from shim.cli import cli
from shim.demo import free_port, wait_for
from shim.sandbox import DEMO_AUTHCODE, Sandbox
from tests.soap_http import envelope, post

_runner = CliRunner()


@pytest.fixture
def authcode_file(tmp_path: Path) -> Path:
    path = tmp_path / "authcode"
    path.write_text(f"{DEMO_AUTHCODE}\n")
    path.chmod(0o600)
    return path


def _config(tmp_path: Path, text: str) -> str:
    path = tmp_path / "gateway.toml"
    path.write_text(text)
    return str(path)


def _good(tmp_path: Path, url: str = "http://127.0.0.1:9/scores") -> str:
    return _config(tmp_path, f'[upstream]\nurl = "{url}"\n[[authcodes]]\nname = "main"\nfile = "authcode"\n')


def test_version() -> None:
    assert _runner.invoke(cli, ["--version"]).output == f"toefl-shim {__version__}\n"


@pytest.mark.parametrize("command", [[], ["serve"], ["sandbox"], ["demo"], ["check"]])
def test_every_command_explains_itself(command: list[str]) -> None:
    shown = _runner.invoke(cli, [*command, "--help"])
    assert shown.exit_code == 0
    assert len(shown.output) > 200


def test_check_says_what_is_good(tmp_path: Path, authcode_file: Path) -> None:
    shown = _runner.invoke(cli, ["check", "-c", _good(tmp_path)])
    assert shown.exit_code == 0
    assert "wrong" not in shown.output
    assert DEMO_AUTHCODE not in shown.output


def test_check_says_all_that_is_wrong_at_once(tmp_path: Path) -> None:
    text = '[gateway]\nbind = "0.0.0.0:80"\nbnd = 1\n[upstream]\nurl = "http://example.org /scores"\n'
    shown = _runner.invoke(cli, ["check", "-c", _config(tmp_path, text)])
    assert shown.exit_code == 1
    for place in ("gateway.bind", "gateway.bnd", "upstream.url", "authcodes"):
        assert place in shown.output


def test_check_asks_the_upstream_once(tmp_path: Path, authcode_file: Path) -> None:
    with Sandbox() as sandbox:
        good = _runner.invoke(cli, ["check", "--upstream", "-c", _good(tmp_path, sandbox.url)])
        assert (good.exit_code, len(sandbox.requests)) == (0, 1)
        sandbox.authcodes = set()
        expired = _runner.invoke(cli, ["check", "--upstream", "-c", _good(tmp_path, sandbox.url)])
    assert expired.exit_code == 1
    assert "generate a new API key in TOEFL Access" in " ".join(expired.output.split())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("not base64!", "is not base64 text"),
        ("bm9jb2xvbg==", "is not the base64 of a client id and a client secret"),
    ],
)
def test_serve_refuses_an_authcode_that_cannot_work(
    tmp_path: Path, authcode_file: Path, text: str, reason: str
) -> None:
    authcode_file.write_text(text)
    shown = _runner.invoke(cli, ["serve", "-c", _good(tmp_path)])
    assert shown.exit_code == 1
    assert reason in " ".join(shown.output.split())


def test_serve_refuses_an_authcode_that_everybody_can_read(tmp_path: Path, authcode_file: Path) -> None:
    authcode_file.chmod(0o644)
    shown = _runner.invoke(cli, ["serve", "-c", _good(tmp_path)])
    assert shown.exit_code == 1
    assert "readable by everybody" in " ".join(shown.output.split())


def test_serve_refuses_a_config_that_is_not_there(tmp_path: Path) -> None:
    shown = _runner.invoke(cli, ["serve", "-c", str(tmp_path / "none.toml")])
    assert shown.exit_code == 1
    assert "No such file" in " ".join(shown.output.split())


@pytest.mark.parametrize("arguments", [["--bind", "0.0.0.0:8081"], ["--width", "900", "--scale", "ibt26"]])
def test_sandbox_refuses_what_it_cannot_do(arguments: list[str]) -> None:
    shown = _runner.invoke(cli, ["sandbox", *arguments])
    assert (shown.exit_code, "refused" in shown.output) == (1, True)


def test_demo_shows_the_way_of_a_call() -> None:
    ran = subprocess.run([sys.executable, "-m", "shim", "demo"], capture_output=True, text=True, check=True)
    assert "<StartDate>2025-04-21T16:45:03</StartDate>" in ran.stdout
    assert "GET /scores?startdate=2025-04-21T16:45:03&" in ran.stdout
    assert "the same" in ran.stdout
    assert DEMO_AUTHCODE not in ran.stdout


def test_serve_with_nothing_configured_answers_from_the_sandbox_and_stops_with_it() -> None:
    bind = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        [sys.executable, "-m", "shim", "serve"],
        env=os.environ | {"TOEFL_SHIM_GATEWAY__BIND": bind},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    wait_for(process, bind)
    answer = post(f"http://{bind}/TOEFLWebService/TOEFLEdm.asmx", envelope())
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=30)
    assert answer.result
    assert process.returncode == 0
    (sandbox,) = re.findall(r"the sandbox at (http://\S+)", output)
    with pytest.raises(requests.ConnectionError):
        requests.get(sandbox, timeout=5)
