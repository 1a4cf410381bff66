"""The unit: valid, tight, and ready when it says so. Its systemd is played; deploy/transcripts has a real one."""

import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from shim.sandbox import DEMO_AUTHCODE, Sandbox
from shim.sandbox.process import free_port
from tests.deploy.tools import DEPLOY, run, said
from tests.operating.served import PATH, PATIENCE, end, secret, until
from tests.soap_http import envelope, post
from tests.tools import require

_UNIT: Final = DEPLOY / "systemd" / "toefl-shim@.service"
_ANALYZE: Final = "apt-get install systemd"
_PORT: Final = "8081"


def _lines(name: str) -> list[str]:
    """The values of a setting of the unit."""
    return [line.partition("=")[2] for line in _UNIT.read_text().splitlines() if line.startswith(f"{name}=")]


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A root folder with the unit, and the program that it names."""
    program = tmp_path / _lines("ExecStart")[0].split()[0].lstrip("/")
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    units = tmp_path / "etc" / "systemd" / "system"
    units.mkdir(parents=True)
    for name in (f"toefl-shim@{_PORT}.service", "toefl-shim@.service"):
        (units / name).write_text(_UNIT.read_text())
    return tmp_path


def test_systemd_finds_nothing_wrong_with_it(installed: Path) -> None:
    analyze = require("systemd-analyze", install=_ANALYZE)
    unit = installed / "etc" / "systemd" / "system" / f"toefl-shim@{_PORT}.service"
    # It would look for the program in this machine's own root.
    for path in unit.parent.iterdir():
        path.write_text(_UNIT.read_text().replace("/opt/", f"{installed}/opt/"))
    ended = run(analyze, "verify", "--man=no", unit)
    assert (ended.returncode, [line for line in ended.stderr.splitlines() if "toefl-shim" in line]) == (0, [])


def test_it_is_as_closed_as_the_guide_says(installed: Path) -> None:
    analyze = require("systemd-analyze", install=_ANALYZE)
    unit = installed / "etc" / "systemd" / "system" / f"toefl-shim@{_PORT}.service"
    said(analyze, "security", "--offline=true", "--no-pager", "--threshold=14", unit)
    assert "systemd-analyze security`: 1.4)" in (DEPLOY / "README.md").read_text()


@contextmanager
def _started(tmp_path: Path, upstream: str) -> Iterator[tuple["subprocess.Popen[bytes]", socket.socket, int]]:
    """The unit's own command and environment, with a credential and a socket to notify."""
    port = free_port()
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credential,) = _lines("LoadCredential")
    secret(credentials / credential.partition(":")[0], DEMO_AUTHCODE)
    (tmp_path / "gateway.toml").write_text(f'[upstream]\nurl = "{upstream}"\n[gateway]\nworkers = 1\n')
    environment = dict(pair for line in _lines("Environment") for word in shlex.split(line) for pair in [_pair(word)])
    environment = {
        name: value.replace("1%i", str(free_port())).replace("%i", str(port)) for name, value in environment.items()
    }
    environment = {name: value.replace("%d", str(credentials)) for name, value in environment.items()}
    environment["TOEFL_SHIM_CONFIG"] = str(tmp_path / "gateway.toml")
    notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notices.bind(str(tmp_path / "notify"))
    notices.settimeout(PATIENCE)
    command = shlex.split(_lines("ExecStart")[0])
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "shim", *command[1:]],
            env=os.environ | environment | {"NOTIFY_SOCKET": str(tmp_path / "notify")},
            cwd=DEPLOY.parent,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process, notices, port
    finally:
        end(process)
        notices.close()


def _pair(word: str) -> tuple[str, str]:
    name, _, value = word.partition("=")
    return name, value


def test_it_is_ready_when_it_says_so_and_reads_the_credential(tmp_path: Path) -> None:
    assert _lines("Type") == ["notify"]
    with Sandbox() as sandbox, _started(tmp_path, sandbox.url) as (process, notices, port):
        assert b"READY=1" in notices.recv(4096).split(b"\n")
        assert post(f"http://127.0.0.1:{port}{PATH}", envelope()).result
        assert sandbox.requests
        process.send_signal(signal.SIGHUP)
        until(lambda: (tmp_path / "log").read_text().count("Booting worker") == 2, "another worker")
        assert post(f"http://127.0.0.1:{port}{PATH}", envelope()).result
    assert DEMO_AUTHCODE not in (tmp_path / "log").read_text()


def test_the_writer_of_the_ledger_may_lower_its_priority() -> None:
    # Else it ends at once, and calls wait in the journal for ever: nothing in a test has this filter.
    assert _lines("SystemCallFilter")[-1] == "setpriority"


def test_its_ledger_can_be_in_a_postgresql_whose_password_root_alone_reads() -> None:
    assert "-r requirements/postgresql.txt\n" in (_UNIT.parent / "install.sh").read_text()
    assert _lines("EnvironmentFile") == ["-/etc/toefl-shim/environment"]
    assert "`/etc/toefl-shim/environment` (mode 600)" in (DEPLOY / "README.md").read_text()


def test_it_waits_longer_than_running_calls_may_take() -> None:
    (seconds,) = _lines("TimeoutStopSec")
    assert int(seconds) > 90
