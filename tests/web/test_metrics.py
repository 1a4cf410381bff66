import threading
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from shim.access.concurrency import ConcurrencyLimit
from shim.spool import SpoolQuota
from shim.web.metrics import Metrics

CALL = {"operation": "GetScores", "caller": "registrar", "outcome": "ok", "seconds": 0.5, "upstream": 0.4}


def samples(metrics: Metrics) -> dict[str, float]:
    """The value of each sample that has no labels but those of a call."""
    return {
        sample.name + "".join(f" {value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(metrics.text([]).decode())
        for sample in family.samples
        if not sample.name.endswith("_bucket")
    }


def test_calls_are_counted_by_operation_caller_and_outcome(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path)
    metrics.count({**CALL, "records": 3, "bytes": 4806})
    metrics.count({**CALL, "outcome": "caller-left", "records": 3, "bytes": 4806})
    metrics.count({"outcome": "not-xml", "seconds": 0.001})
    metrics.retried()
    metrics.migrated("registrar")
    counted = samples(metrics)
    assert counted["toefl_shim_calls_total registrar GetScores ok"] == 1
    assert counted["toefl_shim_calls_total registrar GetScores caller-left"] == 1
    assert counted["toefl_shim_calls_total   not-xml"] == 1
    assert (counted["toefl_shim_records_total"], counted["toefl_shim_bytes_total"]) == (3, 4806)
    assert (counted["toefl_shim_upstream_seconds_count"], counted["toefl_shim_added_seconds_count"]) == (2, 3)
    assert abs(counted["toefl_shim_added_seconds_sum"] - 0.201) < 1e-6
    assert counted["toefl_shim_retries_total"] == 1
    assert counted["toefl_shim_migrated_calls_total registrar"] == 1


def test_gauges_are_of_now(tmp_path: Path) -> None:
    metrics, quota, limit = Metrics(tmp_path), SpoolQuota(10), ConcurrencyLimit(2)
    quota.reserve(5)
    with limit.slot():
        metrics.sample(quota, limit)
    counted = samples(metrics)
    assert (counted["toefl_shim_spool_bytes"], counted["toefl_shim_calls_in_flight"]) == (5, 1)
    quota.release(5)
    metrics.sample(quota, limit)
    counted = samples(metrics)
    assert (counted["toefl_shim_spool_bytes"], counted["toefl_shim_calls_in_flight"]) == (0, 0)


def test_a_file_that_a_worker_is_just_making_is_waited_for(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path)
    metrics.count(CALL)
    unmade = tmp_path / "counter_1.db"
    unmade.touch()
    timer = threading.Timer(0.05, unmade.unlink)
    timer.start()
    assert samples(metrics)["toefl_shim_calls_total registrar GetScores ok"] == 1
    timer.join()
