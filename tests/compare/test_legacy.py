import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, strategies

from shim.compare.days import days_of, whole_days
from shim.compare.legacy import LegacyClient
from shim.compare.legacy_answer import LegacyError
from shim.config import UpstreamSettings
from shim.contracts import contract
from shim.query import ScoreQuery
from shim.sandbox import DEMO_AUTHCODE, Sandbox
from tests.clients.contracts import CONTRACTS
from tests.compare.old_service import Answer, OldService, in_body, in_response, result
from tests.gateway import running_gateway
from tests.planted import PASSWORD
from tests.web import calls

_HALVES = base64.b64decode(DEMO_AUTHCODE).decode().split(":")
_PATH = "/TOEFLWebService/TOEFLEdm.asmx"
_RECORD = b"7" * 900
_QUERY = ScoreQuery(datetime(2025, 4, 21), datetime(2025, 4, 22, 23, 59, 59), "TOEFL", "scorelinkbyreportdate")  # noqa: DTZ001
_MOMENTS = strategies.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1)).map(lambda one: one.replace(microsecond=0))  # noqa: DTZ001
_ZONES = [UTC, *map(ZoneInfo, ("America/New_York", "Asia/Kolkata", "Pacific/Apia", "America/Sao_Paulo"))]


def _legacy(url: str, operation: str = "", wsdl: Path = calls.WSDL, mapping: Path = calls.MAPPING) -> LegacyClient:
    return LegacyClient(
        contract.load(wsdl, mapping), wsdl, UpstreamSettings(url=url, connect_timeout=5, deadline=20), operation
    )


def _asked(answer: Answer | bytes) -> tuple[int, dict[str, str]]:
    with OldService(lambda _, number: answer) as service:
        records = _legacy(service.url).fetch(_QUERY, "user", PASSWORD)
    return records.count, service.calls[0]


def test_it_is_asked_as_its_clients_ask() -> None:
    count, asked = _asked(_RECORD + b"\r\n" + _RECORD)
    assert count == 2
    assert asked == {
        "userName": "user",
        "password": PASSWORD,
        "reportstartdate": "04/21/2025",
        "reportenddate": "04/22/2025",
    }


@pytest.mark.parametrize(
    "answer",
    [
        in_response(""),
        in_response("<getScorelinkDataByReportDateResult/>"),
        in_response(
            '<getScorelinkDataByReportDateResult xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>'
        ),
        result(b""),
        result(b"\r\n"),
    ],
)
def test_nothing_is_nothing(answer: Answer) -> None:
    assert _asked(answer)[0] == 0


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (result(b"Logon failure: unknown user"), "it refused the log-on"),
        (result(b"No. Please check your username, password."), "it refused the log-on"),
        (result(b"The user user is not authenticated."), "it refused the log-on"),
        (result(b"The user name or password is incorrect"), "it refused the log-on"),
        (result(b"We are closed."), "no score file"),
        (result(_RECORD + b"\r\n<html>"), "no score file"),
        (in_response("<getScorelinkDataByReportDateResult>not base64!</getScorelinkDataByReportDateResult>"), "base64"),
        (in_response("<Other>x</Other>"), "no result in the place"),
        (in_body("<getScorelinkDataByReportDateResult/>"), "no result in the place"),
        (in_body(""), "no result in the place"),
        (in_body("<s:Fault><faultstring>user</faultstring></s:Fault>", 500), "HTTP 500 and a SOAP fault"),
        (in_body("<s:Fault><faultstring>user</faultstring></s:Fault>"), "a SOAP fault"),
        (Answer(b"<html>user"), "HTTP 200 and no XML"),
        (Answer(b"", 202), "HTTP 202 and no XML"),
        (Answer(b"<html/>", 404), "HTTP 404 and no SOAP"),
        (Answer(b"", 307, (("Location", "http://127.0.0.1:9/"),)), "HTTP 307 and no XML"),
    ],
)
def test_what_is_no_answer_is_told_without_its_words(answer: Answer, reason: str) -> None:
    with pytest.raises(LegacyError, match=reason) as told:
        _asked(answer)
    assert "user " not in str(told.value)


def test_more_text_than_parsers_take_from_strangers_is_read() -> None:
    assert _asked(9_000 * (_RECORD + b"\n"))[0] == 9_000


def test_that_nobody_answers_is_told() -> None:
    with pytest.raises(LegacyError, match=r"could not be called \(ConnectionError\)"):
        _legacy("http://127.0.0.1:9/").fetch(_QUERY, "user", PASSWORD)


def test_an_answer_that_is_cut_is_told() -> None:
    cut = result(_RECORD)
    with OldService(lambda _, number: Answer(cut.body[:-400])) as service, pytest.raises(LegacyError, match="no XML"):
        _legacy(service.url).fetch(_QUERY, "user", PASSWORD)


def test_what_it_cannot_be_asked_is_not_asked(tmp_path: Path) -> None:
    mapping = tmp_path / "days.toml"
    mapping.write_text(calls.MAPPING.read_text().replace(', "YYYY-MM-DD", "ISO 8601"]', "]"))
    half = replace(_QUERY, end=datetime(2025, 4, 22, 12))  # noqa: DTZ001
    with OldService(lambda _, number: _RECORD) as service:
        legacy = _legacy(service.url, mapping=mapping)
        for query in (half, replace(_QUERY, type="GRE"), replace(_QUERY, reportby="other")):
            with pytest.raises(LegacyError, match="cannot be asked"):
                legacy.fetch(query, "user", PASSWORD)
    assert not service.calls


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("legacy")


@pytest.fixture(scope="module")
def gateway(folder: Path) -> Iterator[str]:
    """A gateway in the place of the old service, with every style of contract: its address without a path."""
    tables = [contract.adopt(folder) for contract in CONTRACTS.values()]
    with Sandbox() as sandbox, running_gateway(sandbox.url, folder, {"contracts": [{}, *tables]}) as running:
        yield running.url.removesuffix(_PATH)


@pytest.mark.parametrize("operation", ["GetScores", "getScorelinkDataByReportDate", "none of it"])
def test_a_gateway_in_its_place_is_called_by_either_operation(gateway: str, operation: str) -> None:
    assert _legacy(gateway + _PATH, operation).fetch(_QUERY, *_HALVES).count == 30


@pytest.mark.parametrize("name", sorted(CONTRACTS))
def test_every_style_of_contract_is_called(folder: Path, gateway: str, name: str) -> None:
    legacy = _legacy(f"{gateway}/{name}", "", folder / f"{name}.wsdl", folder / f"{name}.toml")
    start, end = whole_days(date(2025, 4, 20), date(2025, 4, 23), legacy.zone)
    assert legacy.fetch(legacy.query(start, end), *_HALVES).count == 30


def test_a_mapping_that_answers_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none.toml").write_text('[operations.GetScores]\nunavailable = "No."\n')
    with pytest.raises(LegacyError, match="answers no operation"):
        _legacy("http://127.0.0.1:9/", mapping=tmp_path / "none.toml")


@example(datetime(2025, 4, 21, 12), 12 * 60 * 60, UTC)  # noqa: DTZ001
@example(datetime(2025, 4, 21, 12), 12 * 60 * 60 - 1, UTC)  # noqa: DTZ001
@example(datetime(2025, 4, 21, 23, 59, 59), 24 * 60 * 60, UTC)  # noqa: DTZ001
@example(datetime(2025, 4, 21, 23, 59, 59), 1, UTC)  # noqa: DTZ001
@given(_MOMENTS, strategies.integers(1, 20 * 24 * 60 * 60), strategies.sampled_from(_ZONES))
def test_days_are_all_of_a_range(start: datetime, seconds: int, zone: tzinfo) -> None:
    whole = replace(_QUERY, start=start, end=start + timedelta(seconds=seconds))
    parts = list(days_of(whole, zone))
    assert (parts[0].start, parts[-1].end) == (whole.start, whole.end)
    assert all(part.start < part.end for part in parts)
    assert all(one.end + timedelta(seconds=1) == other.start for one, other in pairwise(parts))
    assert all(part.end - part.start <= timedelta(hours=25, seconds=1) for part in parts)


def test_whole_days_are_those_of_the_zone() -> None:
    start, end = whole_days(date(2025, 11, 1), date(2025, 11, 3), ZoneInfo("America/New_York"))
    parts = list(days_of(replace(_QUERY, start=start, end=end), ZoneInfo("America/New_York")))
    assert [f"{part.start} {part.end}" for part in parts] == [
        "2025-11-01 04:00:00 2025-11-02 03:59:59",
        "2025-11-02 04:00:00 2025-11-03 04:59:59",
        "2025-11-03 05:00:00 2025-11-04 04:59:59",
    ]
