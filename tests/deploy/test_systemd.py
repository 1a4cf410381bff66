"""The systemd unit: valid, restricted, and ready when it says so.

The tests stand in for systemd; deploy/transcripts has a run with a real one.
"""

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
from tests.deploy.tools import DEPLOY, run, said
from tests.gateway import PATH, write_secret
from tests.processes import PATIENCE, free_port, stop, wait_until
from tests.soap_http import envelope, post
from tests.tools import require

_UNIT: Final = DEPLOY / "systemd" / "toefl-shim@.service"
_ANALYZE: Final = "apt-get install systemd"
_PORT: Final = "8081"


def _lines(name: str) -> list[str]:
    """Return the values of a setting of the unit."""
    return [line.partition("=")[2] for line in _UNIT.read_text().splitlines() if line.startswith(f"{name}=")]


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Return a root folder with the unit and the program that it names."""
    program = tmp_path / _lines("ExecStart")[0].split()[0].lstrip("/")
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    units = tmp_path / "etc" / "systemd" / "system"
    units.mkdir(parents=True)
    for name in (f"toefl-shim@{_PORT}.service", "toefl-shim@.service"):
        (units / name).write_text(_UNIT.read_text())
    return tmp_path


def test_systemd_verifies_the_unit(installed: Path) -> None:
    analyze = require("systemd-analyze", install=_ANALYZE)
    unit = installed / "etc" / "systemd" / "system" / f"toefl-shim@{_PORT}.service"
    # systemd-analyze looks for the program in the root of this machine.
    for path in unit.parent.iterdir():
        path.write_text(_UNIT.read_text().replace("/opt/", f"{installed}/opt/"))
    ended = run(analyze, "verify", "--man=no", unit)
    assert (ended.returncode, [line for line in ended.stderr.splitlines() if "toefl-shim" in line]) == (0, [])


def test_it_is_as_restricted_as_the_guide_says(installed: Path) -> None:
    analyze = require("systemd-analyze", install=_ANALYZE)
    unit = installed / "etc" / "systemd" / "system" / f"toefl-shim@{_PORT}.service"
    said(analyze, "security", "--offline=true", "--no-pager", "--threshold=14", unit)
    assert "systemd-analyze security`: 1.4)" in (DEPLOY / "README.md").read_text()


@contextmanager
def _started(tmp_path: Path, upstream: str) -> Iterator[tuple["subprocess.Popen[bytes]", socket.socket, int]]:
    """Run the unit's command with its environment, a credential, and a socket for notices.

    Yields:
        The process, the socket, and the port for SOAP.
    """
    port = free_port()
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credential,) = _lines("LoadCredential")
    write_secret(credentials / credential.partition(":")[0], DEMO_AUTHCODE)
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
        stop(process)
        notices.close()


def _pair(word: str) -> tuple[str, str]:
    name, _, value = word.partition("=")
    return name, value


def test_it_is_ready_when_it_says_so_and_reads_its_authcode_from_the_credential(tmp_path: Path) -> None:
    assert _lines("Type") == ["notify"]
    with Sandbox() as sandbox, _started(tmp_path, sandbox.url) as (process, notices, port):
        assert b"READY=1" in notices.recv(4096).split(b"\n")
        assert post(f"http://127.0.0.1:{port}{PATH}", envelope()).result
        assert sandbox.requests
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: (tmp_path / "log").read_text().count("Booting worker") == 2, "another worker")
        assert post(f"http://127.0.0.1:{port}{PATH}", envelope()).result
    assert DEMO_AUTHCODE not in (tmp_path / "log").read_text()


def test_the_writer_of_the_ledger_may_lower_its_priority() -> None:
    # Without it the writer ends at once and calls stay in the journal; no test runs under this filter.
    assert _lines("SystemCallFilter")[-1] == "setpriority"


def test_only_root_can_read_the_password_of_its_postgresql() -> None:
    assert "-r requirements/postgresql.txt\n" in (_UNIT.parent / "install.sh").read_text()
    assert _lines("EnvironmentFile") == ["-/etc/toefl-shim/environment"]
    assert "`/etc/toefl-shim/environment` (mode 600)" in (DEPLOY / "README.md").read_text()


def test_a_stop_waits_longer_than_the_longest_call() -> None:
    (seconds,) = _lines("TimeoutStopSec")
    assert int(seconds) > 90
