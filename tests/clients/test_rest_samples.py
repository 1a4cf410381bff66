"""The vendor's REST samples run against the sandbox, and the gateway sends the request of the guide."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shim.sandbox import DEMO_AUTHCODE, Options, Sandbox, select
from tests.gateway import running_gateway
from tests.guide import END, REQUEST_LINE, START
from tests.soap_http import envelope, post
from tests.tools import require

_SOURCES = Path(__file__).parent / "rest"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def _python(_directory: Path) -> list[str]:
    return [sys.executable, str(_SOURCES / "sample.py")]


def _java(_directory: Path) -> list[str]:
    java = require("java", install="apt-get install -y --no-install-recommends default-jdk-headless")
    return [java, str(_SOURCES / "Sample.java")]


def _csharp(directory: Path) -> list[str]:
    install = "apt-get install -y --no-install-recommends mono-mcs mono-devel"
    program = directory / "sample.exe"
    mcs = require("mcs", install=install)
    subprocess.run([mcs, "-r:System.Net.Http", f"-out:{program}", _SOURCES / "Sample.cs"], check=True)
    return [require("mono", install=install), str(program)]


@pytest.mark.parametrize("program", [_python, _java, _csharp], ids=["python", "java", "csharp"])
def test_the_vendors_sample_runs_against_the_sandbox(
    program: Callable[[Path], list[str]], sandbox: Sandbox, tmp_path: Path
) -> None:
    host = sandbox.url.removesuffix("/scores")
    ran = subprocess.run(
        [*program(tmp_path), host],
        env=os.environ | {"TOEFL_AUTHCODE": DEMO_AUTHCODE},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    guide = select(Options(), START, END)
    bodies = (b"".join(guide.chunks()), b"".join(guide.json_chunks()))
    assert ran.stdout.split("\n") == [*(f"200 {hashlib.sha256(body).hexdigest()}" for body in bodies), ""]
    assert [request.line for request in sandbox.requests] == [
        REQUEST_LINE,
        REQUEST_LINE.replace(" HTTP", "&format=json HTTP"),
    ]


def test_the_gateway_sends_the_guides_request_byte_for_byte(sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(sandbox.url, tmp_path) as gateway:
        assert post(gateway.url, envelope()).status == 200
    assert [request.line for request in sandbox.requests] == [REQUEST_LINE]
