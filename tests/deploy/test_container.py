"""The container's files: linted, and true to the package and to nginx's files."""

from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from shim import __version__
from shim.config import Config
from tests.deploy.tools import DEPLOY, run, tool

_CONTAINER: Final = DEPLOY / "container"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((_CONTAINER / "compose.yaml").read_text())
    return found


def test_the_dockerfile_is_clean() -> None:
    ended = run(tool("hadolint"), "--no-color", "--failure-threshold", "style", _CONTAINER / "Dockerfile")
    assert (ended.returncode, ended.stdout) == (0, "")


def test_the_container_is_not_root_and_can_end_its_calls() -> None:
    text = (_CONTAINER / "Dockerfile").read_text()
    final = text.rpartition("\nFROM ")[2]
    assert "\nUSER 10001:10001\n" in final
    assert "\nSTOPSIGNAL SIGTERM\n" in final
    assert "\nHEALTHCHECK " in final


def test_the_compose_file_is_one() -> None:
    script = (
        "import sys; from compose_spec import PyCompose;"
        "file = PyCompose.from_yaml(sys.stdin.read()); file.validate(); file.to_spec(); print(*file.service_names())"
    )
    text = (_CONTAINER / "compose.yaml").read_text()
    python = Path(tool("hadolint")).with_name("python")
    ended = run(python, "-c", script, stdin=text)
    assert ended.returncode == 0, ended.stderr
    assert set(ended.stdout.split()) == {"gateway-1", "gateway-2", "nginx", "postgres"}


def test_gateways_in_compose_may_do_nothing_that_they_need_not(compose: dict[str, Any]) -> None:
    for name in ("gateway-1", "gateway-2"):
        service = compose["services"][name]
        assert service["image"] == f"toefl-shim:{__version__}"
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert int(service["stop_grace_period"].removesuffix("s")) > Config.model_fields["gateway"].default.stop_timeout
        assert "ports" not in service
    assert compose["networks"]["front"]["internal"] is True
    assert compose["networks"]["ledger"]["internal"] is True


def test_no_secret_is_in_the_environment(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            assert "PASSWORD" not in name or name.endswith("_FILE")
            assert "://" not in value


def test_nginx_in_the_container_is_nginx_before_it() -> None:
    usual = (DEPLOY / "nginx" / "10-toefl-shim.conf").read_text()
    for port, name in (("8081", "gateway-1"), ("8082", "gateway-2")):
        usual = usual.replace(f"127.0.0.1:{port} ", f"{name}:8080 ")
    assert (_CONTAINER / "nginx.conf").read_text() == usual
