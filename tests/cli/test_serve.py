import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from shim.sandbox.process import wait_for
from tests.cli.commands import good_config, invoke, said
from tests.cli.test_root import COMMANDS
from tests.processes import free_port
from tests.soap_http import envelope, post
from tests.web import calls


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
    shown = invoke(["serve", "-c", good_config(tmp_path)])
    assert shown.exit_code == 1
    assert reason in said(shown.output)


def test_serve_refuses_an_authcode_that_everybody_can_read(tmp_path: Path, authcode_file: Path) -> None:
    authcode_file.chmod(0o644)
    shown = invoke(["serve", "-c", good_config(tmp_path)])
    assert shown.exit_code == 1
    assert "readable by everybody" in said(shown.output)


def test_serve_refuses_a_missing_config(tmp_path: Path) -> None:
    shown = invoke(["serve", "-c", str(tmp_path / "none.toml")])
    assert shown.exit_code == 1
    assert "No such file" in said(shown.output)


@pytest.mark.parametrize("text", ["<html/>", "hello", None], ids=["no WSDL", "no XML", "not there"])
def test_serve_refuses_a_wsdl_that_cannot_be_served(tmp_path: Path, authcode_file: Path, text: str | None) -> None:
    wsdl, _ = calls.written(tmp_path, text or "")
    if text is None:
        wsdl.unlink()
    path = Path(good_config(tmp_path))
    path.write_text(path.read_text(encoding="utf-8") + '[[contracts]]\nwsdl = "legacy.wsdl"\n', encoding="utf-8")
    shown = invoke(["serve", "-c", str(path)])
    assert (shown.exit_code, "refused" in shown.output) == (1, True)
    assert "legacy.wsdl" in said(shown.output)


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


_LOADED = """
import runpy, sys
sys.argv = ["toefl-shim", "serve", "-c", "none.toml"]
try:
    runpy.run_module("shim", run_name="__main__")
except SystemExit as end:
    print(end.code, *sys.modules)
"""


def test_serve_loads_no_other_command_and_nothing_that_only_they_need() -> None:
    ran = subprocess.run([sys.executable, "-c", _LOADED], capture_output=True, text=True, check=True)
    status, *loaded = ran.stdout.split()
    assert status == "1"
    assert {"shim.cli.serve", "shim.web.server", "zeep"} <= set(loaded)
    others = {f"shim.cli.{name}" for name in (*COMMANDS, "findings", "ledger")} - {"shim.cli.serve"}
    heavy = {"alembic", "sqlalchemy", "rich.progress", "shim.compare.services", "shim.contracts.adopt", "shim.sandbox"}
    assert not set(loaded) & (others | heavy)
