import os
import re
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest
import requests
from typer.testing import CliRunner

from shim import __version__
from shim.cli.demo import free_port, wait_for
from shim.cli.main import cli
from shim.contracts import contract
from shim.sandbox import DEMO_AUTHCODE, Sandbox
from tests.contracts import wsdls
from tests.soap_http import envelope, post
from tests.web import calls

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
    first, contract, spyne = _runner.invoke(cli, ["--version"]).output.splitlines()
    assert first == f"toefl-shim {__version__}"
    assert re.fullmatch("contract TOEFLEdm, sha256 [0-9a-f]{12}", contract)
    assert spyne == f"spyne {version('spyne')}"


@pytest.mark.parametrize("command", [[], ["serve"], ["sandbox"], ["demo"], ["check"], ["adopt"], ["contract"]])
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
    text = '[gateway]\nbind = "80"\nbnd = 1\n[upstream]\nurl = "http://example.org /scores"\n[[authcodes]]\n'
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
    url = f"http://{bind}/TOEFLWebService/TOEFLEdm.asmx"
    answer = post(url, envelope())
    _end_a_worker(process.pid)
    assert post(url, envelope()).result == answer.result, "a worker took the sandbox with it"
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=30)
    assert answer.result
    assert process.returncode == 0
    (sandbox,) = re.findall(r"the sandbox at (http://\S+)", output)
    with pytest.raises(requests.ConnectionError):
        requests.get(sandbox, timeout=5)


def _end_a_worker(server: int) -> None:
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    worker = next(
        child for child in map(int, children) if b"sandbox" not in Path(f"/proc/{child}/cmdline").read_bytes()
    )
    os.kill(worker, signal.SIGTERM)
    while Path(f"/proc/{worker}").exists():
        time.sleep(0.02)


def _said(output: str) -> str:
    return " ".join(output.split())


class TestAdopt:
    def test_it_writes_beside_the_wsdl_and_says_what_to_decide(self, tmp_path: Path) -> None:
        path = tmp_path / "Registrar.Scores.wsdl"
        path.write_text(wsdls.wsdl(), encoding="utf-8")
        shown = _runner.invoke(cli, ["adopt", str(path)])
        mapping = tmp_path / "Registrar.Scores.toml"
        assert shown.exit_code == 0
        assert f"Wrote {mapping}" in _said(shown.output)
        assert "decide Fetch: fromDate and untilDate are text: set dates" in _said(shown.output)
        assert contract.load(path, mapping).operation("Fetch")

    def test_what_was_edited_is_only_overwritten_by_force(self, tmp_path: Path) -> None:
        path, mapping = calls.written(tmp_path, wsdls.wsdl(), "# mine")
        shown = _runner.invoke(cli, ["adopt", str(path)])
        assert shown.exit_code == 1
        assert "was edited, so it is left as it is: --force overwrites it" in _said(shown.output)
        assert mapping.read_text(encoding="utf-8") == "# mine"
        assert _runner.invoke(cli, ["adopt", "--force", str(path)]).exit_code == 0
        assert contract.load(path, mapping).operation("Fetch")

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            pytest.param("<html/>", "has no SOAP port with an operation", id="no WSDL"),
            pytest.param(
                wsdls.wsdl(wsdls.schema(wsdls.wrapped(result=wsdls.fields({"FetchResult": "int"})))),
                "Fetch: the result is of type int",
                id="unservable",
            ),
            pytest.param(
                wsdls.wsdl(imports='<w:import namespace="urn:z" location="[red]z.wsdl"/>'),
                "needs the file [red]z.wsdl, which is not in its folder",
                id="missing import",
            ),
        ],
    )
    def test_what_cannot_be_served_is_refused(self, tmp_path: Path, text: str, reason: str) -> None:
        path = tmp_path / "legacy.wsdl"
        path.write_text(text, encoding="utf-8")
        shown = _runner.invoke(cli, ["adopt", str(path)])
        assert (shown.exit_code, "refused" in shown.output) == (1, True)
        assert reason in _said(shown.output)
        assert list(tmp_path.iterdir()) == [path]

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        shown = _runner.invoke(cli, ["adopt", str(tmp_path / "none.wsdl")])
        assert (shown.exit_code, "refused" in shown.output) == (1, True)


class TestContract:
    def test_without_a_config_it_shows_the_shipped_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in os.environ:
            if name.startswith("TOEFL_SHIM_"):
                monkeypatch.delenv(name)
        shown = _runner.invoke(cli, ["contract"], env={"COLUMNS": "240"})
        assert shown.exit_code == 0
        for words in (
            "/TOEFLWebService/TOEFLEdm.asmx",
            "GetScores",
            "https://ets.org/edm/webservices/",
            "StartDate → startdate",
            "always scorelinkbyreportdate → reportby",
            "GetScoresResult: base64Binary",
            "in-band",
            "not answered: TOEFL Access has no EDI form.",
        ):
            assert words in _said(shown.output)

    def test_of_a_config(self, tmp_path: Path, authcode_file: Path) -> None:
        calls.written(tmp_path, wsdls.wsdl(), '[operations.Fetch]\nunavailable = "[red]gone"')
        more = '[[contracts]]\npath = "/a.asmx"\nwsdl = "legacy.wsdl"\n[[contracts]]\npath = "/b.asmx"\n'
        path = Path(_good(tmp_path))
        reportby = 'wsdl_path = "/b.wsdl"\n[contracts.reportby]\ngetScorelinkData = "synthetic"\n'
        path.write_text(path.read_text(encoding="utf-8") + more + reportby, encoding="utf-8")
        shown = _runner.invoke(cli, ["contract", "-c", str(path)], env={"COLUMNS": "240"})
        assert shown.exit_code == 0
        assert "not answered: [red]gone" in _said(shown.output)
        assert "always synthetic → reportby" in _said(shown.output)

    def test_a_contract_that_is_wrong(self, tmp_path: Path, authcode_file: Path) -> None:
        calls.written(tmp_path, wsdls.wsdl(), '[operations.Other]\nunavailable = "gone"')
        path = Path(_good(tmp_path))
        path.write_text(path.read_text(encoding="utf-8") + '[[contracts]]\nwsdl = "legacy.wsdl"\n', encoding="utf-8")
        shown = _runner.invoke(cli, ["contract", "-c", str(path)])
        assert (shown.exit_code, "refused" in shown.output) == (1, True)
        assert "has no operation Other" in _said(shown.output)


@pytest.mark.parametrize("text", ["<html/>", "hello", None], ids=["no WSDL", "no XML", "not there"])
def test_serve_refuses_a_wsdl_that_cannot_be_served(tmp_path: Path, authcode_file: Path, text: str | None) -> None:
    wsdl, _ = calls.written(tmp_path, text or "")
    if text is None:
        wsdl.unlink()
    path = Path(_good(tmp_path))
    path.write_text(path.read_text(encoding="utf-8") + '[[contracts]]\nwsdl = "legacy.wsdl"\n', encoding="utf-8")
    shown = _runner.invoke(cli, ["serve", "-c", str(path)])
    assert (shown.exit_code, "refused" in shown.output) == (1, True)
    assert "legacy.wsdl" in _said(shown.output)
