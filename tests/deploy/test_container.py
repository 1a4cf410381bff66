"""The container's files: they pass the linters, and agree with the package and with nginx's files."""

import json
import re
from ipaddress import ip_address, ip_network
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


def test_the_container_is_not_root_and_lets_calls_end() -> None:
    text = (_CONTAINER / "Dockerfile").read_text()
    final = text.rpartition("\nFROM ")[2]
    assert "\nUSER 10001:10001\n" in final
    assert "\nSTOPSIGNAL SIGTERM\n" in final
    assert "\nHEALTHCHECK " in final


def test_the_compose_file_is_valid(compose: dict[str, Any]) -> None:
    script = (
        "import sys; from compose_spec import PyCompose;"
        "file = PyCompose.from_yaml(sys.stdin.read()); file.validate(); file.to_spec(); print(*file.service_names())"
    )
    python = Path(tool("hadolint")).with_name("python")
    ended = run(python, "-c", script, stdin=yaml.safe_dump(compose))  # with YAML's merges resolved
    assert ended.returncode == 0, ended.stderr
    assert set(ended.stdout.split()) == {"gateway-1", "gateway-2", "nginx", "postgres"}


def test_gateways_in_compose_have_the_fewest_rights(compose: dict[str, Any]) -> None:
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
            assert ":" not in value.partition("://")[2], "a password in an address"


def test_gateways_in_compose_share_a_ledger_and_have_their_own_journals(compose: dict[str, Any]) -> None:
    journals = set()
    for name in ("gateway-1", "gateway-2"):
        service = compose["services"][name]
        environment = service["environment"]
        assert environment["PGPASSFILE"] in [f"/run/secrets/{secret}" for secret in service["secrets"]]
        _, user, host, database = re.split("://|@|/(?!/)", environment["TOEFL_SHIM_LEDGER__URL"])
        postgres = compose["services"][host]["environment"]
        assert (user, database) == (postgres["POSTGRES_USER"], postgres["POSTGRES_DB"])
        (journal,) = [
            volume.partition(":")[0]
            for volume in service["volumes"]
            if volume.endswith(f":{environment['TOEFL_SHIM_LEDGER__JOURNAL']}")
        ]
        journals.add(journal)
    assert len(journals & compose["volumes"].keys()) == 2


def test_nginx_and_the_gateways_know_each_other_by_fixed_addresses(compose: dict[str, Any]) -> None:
    """By name nginx could find a gateway's address in another network, or its old address."""
    names = ("nginx", "gateway-1", "gateway-2")
    found = {name: compose["services"][name]["networks"]["front"]["ipv4_address"] for name in names}
    (pool,) = compose["networks"]["front"]["ipam"]["config"]
    assert all(ip_address(address) in ip_network(pool["subnet"]) for address in found.values())
    trusted = compose["services"]["gateway-1"]["environment"]["TOEFL_SHIM_GATEWAY__TRUSTED_PROXIES"]
    assert json.loads(trusted) == [f"{found.pop('nginx')}/32"]
    servers = re.findall(r"^    server ([0-9.]+):8080 ", (_CONTAINER / "nginx.conf").read_text(), re.MULTILINE)
    assert servers == list(found.values())


def test_nginx_in_the_container_is_configured_as_elsewhere() -> None:
    usual = (DEPLOY / "nginx" / "10-toefl-shim.conf").read_text()
    for port, address in (("8081", "172.30.8.11"), ("8082", "172.30.8.12")):
        usual = usual.replace(f"127.0.0.1:{port} ", f"{address}:8080 ")
    assert (_CONTAINER / "nginx.conf").read_text() == usual
