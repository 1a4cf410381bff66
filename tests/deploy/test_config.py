"""The configurations in ``deploy``: each is valid with what its unit, container or pod adds."""

from pathlib import Path

import pytest

from shim import config
from tests.deploy.tools import DEPLOY

_FILES = sorted(path.relative_to(DEPLOY).as_posix() for path in DEPLOY.rglob("gateway.toml"))


@pytest.mark.parametrize("name", _FILES)
def test_it_is_valid(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOEFL_SHIM_AUTHCODES", '[{"name": "main", "file": "/run/secrets/toefl/authcode"}]')
    monkeypatch.setenv("TOEFL_SHIM_GATEWAY__BIND", "0.0.0.0:8080")
    settings = config.load(DEPLOY / name)
    assert settings.upstream.url == "https://toeflaccess-api.ets.org/scores"
    assert [code.file for code in settings.authcodes] == [Path("/run/secrets/toefl/authcode")]
    assert settings.gateway.is_exposed


def test_there_is_one_for_each_deployment() -> None:
    assert _FILES == ["gateway.toml", "kubernetes/base/gateway.toml", "kubernetes/overlays/example/gateway.toml"]
