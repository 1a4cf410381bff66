"""The manifests, as kustomize builds them: valid by Kubernetes' schemas, and as strict as the guide says."""

import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from shim.config import Config
from tests.deploy.tools import DEPLOY, run, said, tool

_NAME: Final = {"app.kubernetes.io/name": "toefl-shim"}
_VERSIONS: Final = ("1.32", "1.37")


def _built(folder: str) -> str:
    return said(tool("kubectl"), "kustomize", DEPLOY / "kubernetes" / folder)


@pytest.fixture(scope="module")
def manifests() -> dict[str, Any]:
    """Return the manifests of the overlay, by kind and name."""
    return {
        f"{item['kind']} {item['metadata']['name']}": item for item in yaml.safe_load_all(_built("overlays/example"))
    }


@pytest.mark.parametrize("version", _VERSIONS)
def test_the_manifests_are_valid(version: str, tmp_path: Path) -> None:
    (tmp_path / "built.yaml").write_text(_built("overlays/example"))
    ended = run(tool("kubernetes-validate"), "--strict", "-k", version, "built.yaml", cwd=tmp_path)
    lines = (ended.stdout + ended.stderr).splitlines()
    # Kubernetes has no schema for a ServiceMonitor, which the Prometheus operator adds.
    assert [line for line in lines if not line.startswith("INFO") and "ServiceMonitor" not in line] == []
    assert ended.returncode == 0
    assert sum(line.startswith("INFO") for line in lines) >= 7


def test_a_pod_has_the_fewest_rights(manifests: dict[str, Any]) -> None:
    pod = manifests["Deployment toefl-shim"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert manifests["Namespace toefl-shim"]["metadata"]["labels"] == {
        "pod-security.kubernetes.io/enforce": "restricted"
    }


def test_a_new_authcode_appears_in_a_running_pod(manifests: dict[str, Any]) -> None:
    pod = manifests["Deployment toefl-shim"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
    # A file mounted by subPath is not updated while the pod runs.
    assert not [mount for mount in mounts.values() if "subPath" in mount]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert mounts.keys() == volumes.keys()
    assert "secret" in volumes["authcode"]
    named = next(variable["value"] for variable in container["env"] if variable["name"] == "TOEFL_SHIM_AUTHCODES")
    assert f'"{mounts["authcode"]["mountPath"]}/authcode"' in named


def test_it_can_reach_only_dns_the_upstream_and_the_ledger(manifests: dict[str, Any]) -> None:
    policy = manifests["NetworkPolicy toefl-shim"]["spec"]
    assert policy["podSelector"]["matchLabels"] == _NAME
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    to = [(rule["to"], [port["port"] for port in rule["ports"]]) for rule in policy["egress"]]
    assert [ports for _, ports in to] == [[53, 53], [443], [5432]]
    assert to[0][0][0]["podSelector"]["matchLabels"] == {"k8s-app": "kube-dns"}
    assert to[1][0] == [{"ipBlock": {"cidr": "203.0.113.0/24"}}]
    assert to[2][0] == [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "toefl-shim-postgresql"}}}]


def test_every_selector_selects_the_gateway(manifests: dict[str, Any]) -> None:
    deployment = manifests["Deployment toefl-shim"]["spec"]
    assert deployment["selector"]["matchLabels"] == _NAME
    assert _NAME.items() <= deployment["template"]["metadata"]["labels"].items()
    assert manifests["PodDisruptionBudget toefl-shim"]["spec"]["selector"]["matchLabels"] == _NAME
    for service in ("toefl-shim", "toefl-shim-admin"):
        assert manifests[f"Service {service}"]["spec"]["selector"] == _NAME
    monitor = manifests["ServiceMonitor toefl-shim"]["spec"]["selector"]["matchLabels"]
    assert monitor.items() <= manifests["Service toefl-shim-admin"]["metadata"]["labels"].items()
    assert not monitor.items() <= manifests["Service toefl-shim"]["metadata"].get("labels", {}).items()


def test_time_limits_and_sizes_fit_the_gateways_settings(manifests: dict[str, Any]) -> None:
    pod = manifests["Deployment toefl-shim"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (config,) = [item for name, item in manifests.items() if name.startswith("ConfigMap")]
    settings = tomllib.loads(config["data"]["gateway.toml"])
    stop_timeout = Config.model_fields["gateway"].default.stop_timeout
    sleep = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] > sleep + stop_timeout
    sizes = {volume["name"]: volume["emptyDir"]["sizeLimit"] for volume in pod["volumes"] if "emptyDir" in volume}
    assert settings["gateway"]["workers"] * settings["spool"]["max_bytes"] <= int(sizes["tmp"][:-2]) * 1024**3
    assert sizes["tmp"] == "2Gi"
    assert container["resources"]["limits"]["memory"] == "2688Mi"
