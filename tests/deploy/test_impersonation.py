"""The old host's name resolves to the gateway, and an unchanged C# client gets its scores."""

import json
import os
import sys
from datetime import datetime
from pathlib import Path

import pytest

from shim.sandbox import Options, select
from tests.clients.calls import GET_SCORES, Outcome
from tests.deploy.impersonated import HOST
from tests.deploy.tools import DEPLOY, ROOT, run, said
from tests.tools import require


def test_a_client_with_the_old_address_gets_the_scores(tmp_path: Path) -> None:
    for program, package in (
        ("ip", "iproute2"),
        ("unshare", "util-linux"),
        ("nginx", "nginx-light"),
        ("svcutil", "mono-devel"),
    ):
        require(program, install=f"apt-get install {package}")
    apart = ["unshare", "--net", "--mount", *([] if os.getuid() == 0 else ["--map-root-user"])]
    if run(*apart, "true").returncode != 0:
        pytest.skip("this machine forbids network namespaces")
    said(*apart, sys.executable, "-m", "tests.deploy.impersonated", tmp_path, cwd=ROOT)
    told = json.loads((tmp_path / "told.json").read_text())
    first, last = (datetime.fromisoformat(text) for text in GET_SCORES[1:])
    body = b"".join(select(Options(), first, last).chunks())
    assert Outcome(told["kind"], told["text"]) == Outcome.scores(body)
    assert told["requests"] == 1


def test_the_authority_is_valid_for_no_other_name(tmp_path: Path) -> None:
    script = DEPLOY / "impersonation" / "ca.sh"

    def verified(name: str) -> bool:
        said(script, tmp_path / "ca", name)
        return (
            run("openssl", "verify", "-CAfile", tmp_path / "ca" / "ca.pem", tmp_path / "ca" / "server.pem").returncode
            == 0
        )

    assert verified(HOST)
    assert not verified("bank.example.org")  # by the same authority
    assert (tmp_path / "ca" / "ca.key").stat().st_mode & 0o077 == 0
