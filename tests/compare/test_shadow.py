"""Live calls in the shadow of the old service: what is compared, what is dropped, and that no call is harmed."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from shim.config import Config, ConfigError, load
from shim.sandbox import Options, Sandbox, select
from tests.compare.old_service import Answer, OldService, result
from tests.gateway import Gateway, running_gateway
from tests.operating.canaries import traces
from tests.planted import planted
from tests.processes import wait_until
from tests.soap_http import envelope, post

_Answers = Callable[[dict[str, str], int], Answer | bytes]


def _same(values: dict[str, str], _number: int = 0) -> bytes:
    start, end = (datetime.fromisoformat(values[name]) for name in ("StartDate", "EndDate"))
    return b"".join(select(Options(), start, end).chunks())


def _as_get_scores(answer: _Answers) -> _Answers:
    def answered(values: dict[str, str], number: int) -> Answer | bytes:
        told = answer(values, number)
        told = told if isinstance(told, Answer) else result(told)
        return told._replace(body=told.body.replace(b"getScorelinkDataByReportDate", b"GetScores"))

    return answered


@contextmanager
def _gateway(folder: Path, answer: _Answers, **shadow: int) -> Iterator[tuple[Gateway, OldService]]:
    with Sandbox() as sandbox, OldService(_as_get_scores(answer)) as service:
        settings = {"legacy": {"url": service.url}, "shadow": {"sample": 1, **shadow}}
        with running_gateway(sandbox.url, folder / "gateway", settings) as gateway:
            yield gateway, service


def _shadows(gateway: Gateway) -> list[dict[str, Any]]:
    return [line for line in gateway.lines if line["event"] == "shadow"]


def _are(gateway: Gateway, number: int) -> bool:
    return len(_shadows(gateway)) == number


def _compared(gateway: Gateway, outcome: str) -> float:
    return gateway.metrics().get(("shadow_total", (("outcome", outcome),)), 0)


def _call(gateway: Gateway) -> str:
    answer = post(gateway.url, envelope())
    assert answer.status == 200
    assert len(answer.result or b"") == 24 * 1602
    return answer.headers["x-request-id"]


def test_a_call_is_compared_after_it_was_answered(tmp_path: Path) -> None:
    with _gateway(tmp_path, _same) as (gateway, service):
        number = _call(gateway)
        wait_until(lambda: bool(_shadows(gateway)), "comparison")
        (line,) = _shadows(gateway)
        assert (line["outcome"], line["request"], line["records"], line["note"]) == ("same", number, 24, "")
        assert (line["operation"], line["caller"]) == ("GetScores", "this-machine")
        assert _compared(gateway, "same") == 1
        assert len(service.calls) == 4  # both days twice


def test_what_differs_is_counted_by_field_and_no_value_comes_out(tmp_path: Path) -> None:
    def moved(values: dict[str, str], _number: int) -> bytes:
        lines = _same(values).splitlines(keepends=True)
        return b"".join(line[:352] + b"Elsewhere".ljust(30) + line[382:] for line in lines[1:])

    with _gateway(tmp_path, moved) as (gateway, _):
        _call(gateway)
        wait_until(lambda: bool(_shadows(gateway)), "comparison")
        (line,) = _shadows(gateway)
        assert (line["outcome"], line["note"]) == ("different", "only_rest 2, city 22")
        assert _compared(gateway, "different") == 1
        found = [where for where, content in traces(gateway).items() if b"Elsewhere" in content]
        records = [
            name
            for where, content in traces(gateway).items()
            for name, value in planted().items()
            if value.encode() in content and not where.startswith("environ")
        ]
        assert (found, [name for name in records if "authcode" not in name and name != "its secret"]) == ([], [])


def test_one_at_a_time_and_none_waits(tmp_path: Path) -> None:
    gate = threading.Event()

    def waiting(values: dict[str, str], _number: int) -> bytes:
        gate.wait(60)
        return _same(values)

    with _gateway(tmp_path, waiting) as (gateway, service):
        _call(gateway)
        wait_until(lambda: bool(service.calls), "call of the old service")
        for _ in range(3):
            _call(gateway)
        wait_until(lambda: _compared(gateway, "dropped") == 3, "dropped comparisons")
        gate.set()
        wait_until(lambda: bool(_shadows(gateway)), "comparison")
        assert [line["outcome"] for line in _shadows(gateway)] == ["same"]
        _call(gateway)
        wait_until(lambda: len(_shadows(gateway)) == 2, "another comparison")


def test_a_gateway_stops_while_one_goes_on(tmp_path: Path) -> None:
    gate = threading.Event()

    def waiting(values: dict[str, str], _number: int) -> bytes:
        gate.wait(60)
        return _same(values)

    with _gateway(tmp_path, waiting) as (gateway, service):
        _call(gateway)
        wait_until(lambda: bool(service.calls), "call of the old service")
        gateway.process.terminate()
        assert gateway.process.wait(20) == 0
        gate.set()


@pytest.mark.parametrize(
    ("is_silent", "time_limit", "note"),
    [
        (False, 120, "2025-04-21: the legacy service: it answered HTTP 500 and no SOAP"),
        (True, 2, "shadow.time_limit"),
    ],
    ids=["refused", "silent"],
)
def test_failures_and_time_are_bounded_and_counted(tmp_path: Path, is_silent: bool, time_limit: int, note: str) -> None:
    gate = threading.Event()

    def answer(_values: dict[str, str], _number: int) -> Answer:
        if is_silent:
            gate.wait(60)
        return Answer(b"<html>secret-user</html>", 500)

    with _gateway(tmp_path, answer, time_limit=time_limit) as (gateway, _):
        for calls in (1, 2):
            _call(gateway)
            wait_until(partial(_are, gateway, calls), "failure")
        assert _compared(gateway, "failed") == 2
        assert [shadow["note"] for shadow in _shadows(gateway)] == [note] * 2
        gate.set()


@pytest.mark.parametrize("sample", [-0.1, 1.1])
def test_a_sample_is_a_share(tmp_path: Path, sample: float) -> None:
    with pytest.raises(ConfigError, match=r"shadow\.sample"):
        load(_written(tmp_path, f"[shadow]\nsample = {sample}"))


def test_a_sample_needs_a_service_to_compare_with(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"shadow\.sample: needs legacy\.url"):
        load(_written(tmp_path, "[shadow]\nsample = 0.5"))
    assert isinstance(load(_written(tmp_path, "[shadow]\nsample = 0")), Config)


def _written(folder: Path, text: str) -> Path:
    path = folder / "gateway.toml"
    basic = '[upstream]\nurl = "https://example.org/"\n[[authcodes]]\nname = "main"\nenv = "X"\n'
    path.write_text(f"{basic}{text}\n")
    return path
