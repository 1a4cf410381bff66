"""The alerts fire when they should, and every metric of the alerts and the dashboard exists."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from shim.errors import CAUSES
from shim.ledger.journal import MIGRATED_FILE, SUMMARY_FILE
from tests.deploy.tools import DEPLOY, said
from tests.gateway import running_gateway
from tests.processes import wait_until
from tests.soap_http import envelope, post
from tests.tools import require
from tests.upstream_server import FakeUpstream, ok, scores

_ALERTS: Final = DEPLOY / "prometheus" / "alerts.yml"
_METRIC: Final = re.compile(r"\btoefl_shim_\w+")


def _rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(_ALERTS.read_text())["groups"]
    return list(group["rules"])


def _queries() -> list[str]:
    dashboard = json.loads((DEPLOY / "grafana" / "toefl-shim.json").read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[set[str]]:
    """Return the names of the samples of a gateway, after a call and another call by a migrated caller."""
    folder = tmp_path_factory.mktemp("metrics")
    ledger = {"ledger": {"url": f"sqlite:///{folder}/ledger.db", "journal": str(folder)}}
    with (
        FakeUpstream(ok(scores(1), then="keep")) as upstream,
        running_gateway(upstream.url, folder / "gateway", ledger) as gateway,
    ):
        assert post(gateway.url, envelope()).result
        wait_until((folder / SUMMARY_FILE).exists, "summary")
        (folder / MIGRATED_FILE).write_text('["this-machine"]')
        wait_until(lambda: bool(post(gateway.url, envelope()).result) and '"migrated"' in gateway.log_text, "warning")
        text = gateway.admin("/metrics").text
        yield {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}


def test_every_metric_of_an_alert_or_a_panel_is_exported(exported: set[str]) -> None:
    named = {name for query in [*_queries(), *(rule["expr"] for rule in _rules())] for name in _METRIC.findall(query)}
    assert len(named) > 8
    assert named <= exported


def test_every_outcome_in_an_alert_exists() -> None:
    for rule in _rules():
        for pattern in re.findall(r'outcome=~?"([^"]+)"', rule["expr"]):
            for part in pattern.split("|"):
                assert [slug for slug in ("ok", *CAUSES) if re.fullmatch(part, slug)], part


def test_alerts_fire_when_they_should_and_not_before() -> None:
    promtool = require("promtool", install="apt-get install --no-install-recommends prometheus")
    said(promtool, "check", "rules", "--lint-fatal", _ALERTS)
    said(promtool, "test", "rules", _ALERTS.with_name("alerts.test.yml"))


def test_every_alert_is_tested_and_explained() -> None:
    tested = (DEPLOY / "prometheus" / "alerts.test.yml").read_text()
    explained = (DEPLOY / "RUNBOOK.md").read_text()
    for rule in _rules():
        assert f'alertname="{rule["alert"]}"' in tested
        assert f"### {rule['alert']}\n" in explained
        assert rule["labels"]["severity"] in ("critical", "warning")


def test_every_query_of_the_dashboard_is_promql(tmp_path: Path) -> None:
    promtool = require("promtool", install="apt-get install --no-install-recommends prometheus")
    rules = [
        {"record": f"panel:{number}", "expr": query.replace("$__rate_interval", "1m")}
        for number, query in enumerate(_queries())
    ]
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    said(promtool, "check", "rules", tmp_path / "panels.yml")
