"""A failing upstream, seen by the caller: a fault in the caller's own version, never a part of a score file."""

import json
import os
import re
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Final

import pytest

from shim.sandbox.process import free_port
from shim.upstream.authcode import Authcode
from tests.faults.table import AddRow
from tests.faults.upstream_calls import FORMS, PATIENCE, SETTINGS, assert_fault, assert_refused, call, scores
from tests.faults.upstream_cases import Case, body_of, cases, status, whole
from tests.faults.upstream_played import PLANTED, Drip, Upstream, records
from tests.faults.upstream_tls import Authority
from tests.gateway import Gateway, running_gateway
from tests.operating.served import secret
from tests.soap_http import Answer
from tests.upstream.played import Script, ok

_SECTION: Final = "The upstream"
_WELL: Final = whole(records(5))
_AT_A_TIME: Final = 8
sizes = pytest.mark.parametrize("size", ["3 records", "16 MB"])


@dataclass(frozen=True)
class Pair:
    """An upstream and the gateway before it."""

    upstream: Upstream
    gateway: Gateway

    def assert_well(self) -> None:
        """What went wrong does not spoil the next call."""
        self.upstream.plays(_WELL)
        assert scores(call(self.gateway)) == records(5)
        assert len(self.upstream.requests) == 1


@dataclass(frozen=True)
class Ended:
    """How a call ended.

    Attributes:
        answer: What the caller got.
        seconds: What it took.
        requests: How many the upstream saw.
    """

    answer: Answer
    seconds: float
    requests: int


@contextmanager
def _gateway(url: str, folder: Path, **settings: str) -> Iterator[Gateway]:
    with running_gateway(url, folder / "gateway.log", planted=[PLANTED], settings=SETTINGS | settings) as running:
        yield running


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with Upstream() as upstream, _gateway(upstream.url, tmp_path_factory.mktemp("faults")) as gateway:
        yield Pair(upstream, gateway)


@pytest.fixture(scope="module")
def ended(pair: Pair, request: pytest.FixtureRequest) -> dict[Case, "Future[Ended]"]:
    """The calls of the cases that are to be tested, some at a time: most do nothing but wait."""
    specs = [getattr(item, "callspec", None) for item in request.session.items]
    wanted = [spec.params["case"] for spec in specs if spec is not None and "case" in spec.params]
    days = (date(2000, 1, 1) + timedelta(days=number) for number in range(len(wanted)))
    # All of them end here: other tests need the upstream, or a connection to it, for themselves.
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        return {case: pool.submit(_carry_out, case, pair, f"{day}") for case, day in zip(wanted, days, strict=True)}


def _carry_out(case: Case, pair: Pair, day: str) -> Ended:
    words = f"startdate={day}T"
    pair.upstream.plays(*case.scripts(), to=words)
    began = time.monotonic()
    answer = call(pair.gateway, case.form, day)
    seconds = time.monotonic() - began
    seen = pair.upstream.seen(words)
    pair.upstream.plays(to=words)
    return Ended(answer, seconds, seen)


@pytest.mark.parametrize("case", list(cases()), ids=repr)
def test_a_whole_score_file_or_a_fault(case: Case, pair: Pair, ended: dict[Case, "Future[Ended]"], row: AddRow) -> None:
    section = (
        _SECTION
        if case.form == "SOAP 1.1"
        else f"{_SECTION}, asked {'' if case.form == 'in band' else 'in '}{case.form}"
    )
    row(section, case.fault, case.size, case.answer, case.requests)
    found = ended[case].result()
    if case.slug:
        assert_fault(pair.gateway, found.answer, case.slug, case.form)
    else:
        assert scores(found.answer) == body_of(case.size)
    assert found.requests == case.requests
    assert found.seconds < PATIENCE
    pair.assert_well()


def test_a_gzip_bomb_is_not_unpacked(pair: Pair) -> None:
    (worker,) = _workers(pair.gateway, 1)
    before = _most_memory(worker)
    bombs = [case for case in cases() if "bomb" in case.fault]
    for bomb in bombs:
        pair.upstream.plays(*bomb.scripts())
        assert_refused(pair.gateway, bomb.slug)
    assert len(bombs) == 2
    assert _most_memory(worker) - before < 100 << 20


class TestKeptConnections:
    @sizes
    @pytest.mark.parametrize(
        "extra",
        [
            pytest.param(ok(records(7), then="keep").data, id="another answer"),
            pytest.param(records(2), id="records"),
            pytest.param(records(2000), id="many records"),
        ],
    )
    def test_bytes_beyond_content_length_reach_nobody(self, extra: bytes, size: str, pair: Pair, row: AddRow) -> None:
        row(_SECTION, "sends more than Content-Length", size, "the whole answer, and so does the next", "1 each")
        body = body_of(size)
        pair.upstream.plays(Script(ok(body).data + extra, "keep"), ok(records(5), then="keep"), _WELL)
        assert scores(call(pair.gateway)) == body
        assert len(pair.upstream.requests) == 1
        for _ in range(2):
            assert scores(call(pair.gateway)) == records(5)
        assert len(pair.upstream.requests) == 3

    @sizes
    def test_it_is_used_again(self, size: str, pair: Pair) -> None:
        # Else the tests of what goes wrong with it would show nothing.
        body = body_of(size)
        pair.upstream.plays(*[ok(body, then="keep")] * 2, ok(body))
        assert [scores(call(pair.gateway)) for _ in range(3)] == [body] * 3
        assert pair.upstream.connections == 1

    @sizes
    @pytest.mark.parametrize(
        ("ending", "seen"),
        [("closes while it is idle", 1), ("closes at the next request", 2), ("resets at the next request", 2)],
    )
    def test_it_ends(self, ending: str, seen: int, size: str, pair: Pair, row: AddRow) -> None:
        row(_SECTION, f"{ending}, on a kept connection", size, "the whole answer", seen)
        body = body_of(size)
        between = Script(b"", "close" if ending.startswith("closes") else "reset")
        pair.upstream.plays(
            *([ok(body)] if ending == "closes while it is idle" else [ok(body, then="keep"), between]), whole(body)
        )
        assert scores(call(pair.gateway)) == body
        before = len(pair.upstream.requests)
        assert scores(call(pair.gateway)) == body
        assert len(pair.upstream.requests) - before == seen


class TestRetries:
    def test_what_is_asked_again_is_the_same(self, pair: Pair) -> None:
        pair.upstream.plays(status("503 Service Unavailable"), Script(b""), _WELL)
        assert scores(call(pair.gateway)) == records(5)
        assert len(set(pair.upstream.requests)) == 1

    @pytest.mark.parametrize(
        ("line", "form", "seconds"),
        # A date has whole seconds, and is waited for one second less at most.
        [("429 Too Many Requests", "seconds", 1), ("503 Service Unavailable", "a date", 2)],
    )
    def test_a_retry_after_that_fits_is_waited_for(
        self, line: str, form: str, seconds: int, pair: Pair, row: AddRow
    ) -> None:
        row(_SECTION, f"answers {line} with Retry-After as {form}, within the deadline", "", "the whole answer", 2)
        pair.upstream.plays(status(line, headers=_retry_after(form, seconds)), _WELL)
        began = time.monotonic()
        assert scores(call(pair.gateway)) == records(5)
        assert 1 <= time.monotonic() - began < PATIENCE
        assert len(pair.upstream.requests) == 2

    @pytest.mark.parametrize(
        ("line", "slug"),
        [("429 Too Many Requests", "upstream-busy"), ("503 Service Unavailable", "upstream-failed")],
    )
    @pytest.mark.parametrize("form", ["seconds", "a date"])
    def test_one_that_does_not_fit_is_not(self, form: str, line: str, slug: str, pair: Pair, row: AddRow) -> None:
        fault = f"answers {line} with Retry-After as {form}, beyond the deadline"
        row(_SECTION, fault, "", f"fault `{slug}`, at once, with Retry-After", 1)
        pair.upstream.plays(status(line, headers=_retry_after(form, 3600)))
        began = time.monotonic()
        answer = assert_refused(pair.gateway, slug)
        assert time.monotonic() - began < float(SETTINGS["UPSTREAM__DEADLINE"]) / 2
        assert 3500 < int(answer.headers["retry-after"]) <= 3600
        assert len(pair.upstream.requests) == 1

    @pytest.mark.parametrize(
        "value",
        [
            "soon",
            "-1",
            "1e3",
            "",
            "Wed, 21 Oct 2015 07:28:00 GMT",
            "Wed, 21 Oct 99999 07:28:00 GMT",
            pytest.param("9" * 5000, id="5000 digits"),
        ],
    )
    def test_one_that_cannot_be_meant(self, value: str, pair: Pair, row: AddRow) -> None:
        fault = "answers 503 with a Retry-After that is past or no time at all"
        row(_SECTION, fault, "", "the whole answer", 2, named=value[:40] or "nothing")
        pair.upstream.plays(status("503 Service Unavailable", headers=f"Retry-After: {value}\r\n"), _WELL)
        assert scores(call(pair.gateway)) == records(5)
        assert len(pair.upstream.requests) == 2

    def test_the_caller_is_told_of_a_day_at_most(self, pair: Pair) -> None:
        pair.upstream.plays(status("503 Service Unavailable", headers=f"Retry-After: {'9' * 400}\r\n"))
        answer = assert_refused(pair.gateway, "upstream-failed")
        assert int(answer.headers["retry-after"]) <= 24 * 3600


def _retry_after(form: str, seconds: int) -> str:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
    return f"Retry-After: {seconds if form == 'seconds' else moment}\r\n"


def test_the_next_authcode_has_no_deadline_of_its_own(tmp_path: Path, row: AddRow) -> None:
    row(
        _SECTION,
        "refuses the authcode late, and is silent to the next one",
        "",
        "fault `upstream-timeout` within `upstream.deadline`",
        2,
    )
    following = secret(tmp_path / "next", Authcode.of("synthetic", "next").value)
    first = {"name": "main", "env": "TOEFL_SANDBOX_AUTHCODE", "next_file": str(following)}
    settings = {"AUTHCODES": json.dumps([first]), "UPSTREAM__DEADLINE": "5", "UPSTREAM__READ_TIMEOUT": "5"}
    with Upstream() as upstream, _gateway(upstream.url, tmp_path, **settings) as gateway:
        refusal = status("401 Unauthorized", b"").data
        upstream.plays(Drip(refusal, piece=len(refusal) // 9, pause=0.5), Script(b"", "hold"))
        began = time.monotonic()
        assert_refused(gateway, "upstream-timeout")
        assert time.monotonic() - began < 8.5
        assert len(upstream.requests) == 2


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(code: int, pair: Pair, row: AddRow) -> None:
    row(_SECTION, f"answers {code} to another host", "", "fault `upstream-redirect`", "1, none elsewhere")
    with Upstream() as elsewhere:
        elsewhere.plays(_WELL)
        pair.upstream.plays(status(f"{code} Elsewhere", headers=f"Location: {elsewhere.url}\r\n"))
        assert_refused(pair.gateway, "upstream-redirect")
        assert (len(pair.upstream.requests), elsewhere.connections) == (1, 0)


class TestConnecting:
    def test_refused(self, tmp_path: Path, row: AddRow) -> None:
        row(_SECTION, "refuses the connection", "", "fault `upstream-unreachable`", 0)
        with _gateway(f"http://127.0.0.1:{free_port()}/scores", tmp_path) as gateway:
            assert_refused(gateway, "upstream-unreachable")

    def test_not_answered(self, tmp_path: Path, row: AddRow) -> None:
        row(_SECTION, "lets connections wait", "", "fault `upstream-timeout`", 0)
        # With nobody accepting, the queue of the listener fills up and further connections hang.
        with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as stack:
            for _ in range(4):
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)  # noqa: FBT003 - the socket module has no names for it
                waiting.connect_ex(listener.getsockname())
            with _gateway(f"http://127.0.0.1:{listener.getsockname()[1]}/scores", tmp_path) as gateway:
                assert_refused(gateway, "upstream-timeout")

    def test_no_such_name(self, tmp_path: Path, row: AddRow) -> None:
        row(_SECTION, "its name is not known", "", "fault `upstream-unreachable`", 0)
        # Longer than a name can be, so the resolver says so by itself and asks no network.
        name = ".".join(["a" * 60] * 5)
        with _gateway(f"https://{name}.invalid/scores", tmp_path) as gateway:
            assert_refused(gateway, "upstream-unreachable")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def secured(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with Upstream() as upstream:
        url, trusted = upstream.url.replace("http:", "https:"), str(authority.certificate)
        with _gateway(url, tmp_path_factory.mktemp("tls"), UPSTREAM__CA_FILE=trusted) as gateway:
            yield Pair(upstream, gateway)


class TestTls:
    @pytest.fixture(autouse=True)
    def _well_before_and_after(self, secured: Pair, authority: Authority) -> Iterator[None]:
        # What is refused is refused for its own reason, then.
        right = authority.server()
        secured.upstream.tls = right
        secured.assert_well()
        yield
        secured.upstream.tls = right
        secured.assert_well()

    @pytest.mark.parametrize(
        ("fault", "made"),
        [
            ("a certificate of another host", {"name": "DNS:elsewhere.invalid"}),
            ("a certificate that has expired", {"end": "20200102000000Z"}),
        ],
    )
    def test_a_wrong_certificate(
        self, fault: str, made: dict[str, str], secured: Pair, authority: Authority, row: AddRow
    ) -> None:
        row(_SECTION, f"shows {fault}", "", "fault `upstream-tls`", 0)
        secured.upstream.tls = authority.server(**made)
        self._assert_not_trusted(secured)

    def test_an_authority_that_is_not_known(self, secured: Pair, tmp_path: Path, row: AddRow) -> None:
        row(_SECTION, "shows a certificate of an unknown authority", "", "fault `upstream-tls`", 0)
        secured.upstream.tls = Authority(tmp_path).server()
        self._assert_not_trusted(secured)

    @pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
    @pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
    def test_an_old_protocol(self, version: ssl.TLSVersion, secured: Pair, authority: Authority, row: AddRow) -> None:
        name = f"TLS 1.{'0' if version is ssl.TLSVersion.TLSv1 else '1'}"
        row(_SECTION, f"speaks {name} alone", "", "fault `upstream-tls`", 0)
        secured.upstream.tls = _of_version(authority.server(), version)
        # Where OpenSSL does not speak it any more, a server of it would show nothing.
        client = _of_version(ssl.create_default_context(cafile=authority.certificate), version)
        with (
            socket.create_connection(("127.0.0.1", secured.upstream.port)) as plain,
            client.wrap_socket(plain, server_hostname="127.0.0.1") as old,
        ):
            assert old.version() == {"TLS 1.0": "TLSv1", "TLS 1.1": "TLSv1.1"}[name]
        self._assert_not_trusted(secured)

    @pytest.mark.parametrize(
        "filler",
        # An answer is read by 8 KiB; what TLS unpacked besides is not seen on the socket, and begins as an answer does.
        [pytest.param(8192, id="unpacked"), pytest.param(0, id="read"), pytest.param(20_000, id="not unpacked")],
    )
    def test_bytes_beyond_content_length_reach_nobody(self, filler: int, secured: Pair, row: AddRow) -> None:
        row(
            _SECTION, "sends more than Content-Length, over TLS", "", "the whole answer, and so does the next", "1 each"
        )
        extra = ok(records(7), then="keep").data
        first = ok(records(3), then="keep").data.ljust(filler, b"x") + extra
        secured.upstream.plays(Script(first, "keep"), ok(records(5), then="keep"), _WELL)
        assert scores(call(secured.gateway)) == records(3)
        for _ in range(2):
            assert scores(call(secured.gateway)) == records(5)
        assert len(secured.upstream.requests) == 3

    def test_a_kept_connection_is_used_again(self, secured: Pair) -> None:
        secured.upstream.plays(*[ok(records(5), then="keep")] * 2, _WELL)
        assert [scores(call(secured.gateway)) for _ in range(3)] == [records(5)] * 3
        assert secured.upstream.connections == 1

    def test_plain_text(self, secured: Pair, row: AddRow) -> None:
        row(_SECTION, "speaks no TLS", "", "fault `upstream-tls`", 0)
        secured.upstream.tls = None
        secured.upstream.plays(status("400 Bad Request"))
        assert_refused(secured.gateway, "upstream-tls")
        assert not any(b"authcode" in seen for seen in secured.upstream.requests)

    def test_a_handshake_that_never_ends(self, secured: Pair, row: AddRow) -> None:
        row(_SECTION, "never ends the TLS handshake", "", "fault `upstream-timeout`", 0)
        secured.upstream.tls = None
        secured.upstream.plays(Script(b"", "hold"))
        assert_refused(secured.gateway, "upstream-timeout")
        assert not any(b"authcode" in seen for seen in secured.upstream.requests)

    @staticmethod
    def _assert_not_trusted(secured: Pair) -> None:
        secured.upstream.plays(_WELL)
        assert_refused(secured.gateway, "upstream-tls")
        assert (secured.upstream.requests, secured.upstream.connections) == ([], 1)


def _of_version(context: ssl.SSLContext, version: ssl.TLSVersion) -> ssl.SSLContext:
    context.minimum_version = context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


_DOWN: Final = 3
"""Failures in a row that open the breaker."""
_REST: Final = 3.0
"""Seconds that it stays open, where a test waits for that."""


@contextmanager
def _shielded(folder: Path, seconds: float) -> Iterator[Pair]:
    """An upstream behind a breaker that stays open so long, in a gateway with two workers."""
    settings = {
        "UPSTREAM__ATTEMPTS": "1",
        "UPSTREAM__READ_TIMEOUT": "5",
        "UPSTREAM__BREAKER_FAILURES": str(_DOWN),
        "UPSTREAM__BREAKER_SECONDS": str(seconds),
        "GATEWAY__WORKERS": "2",
    }
    with Upstream() as upstream, _gateway(upstream.url, folder, **settings) as gateway:
        yield Pair(upstream, gateway)


@pytest.fixture(scope="module")
def shielded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with _shielded(tmp_path_factory.mktemp("breaker"), _REST) as pair:
        yield pair


def test_the_breaker_opens_in_all_workers(tmp_path: Path, row: AddRow) -> None:
    row(
        _SECTION,
        "fails as many calls in a row as `upstream.breaker_failures`",
        "",
        "from then on fault `upstream-down` at once, with Retry-After, from every worker",
        "none from then on",
    )
    with _shielded(tmp_path, 600) as pair:
        upstream, gateway = pair.upstream, pair.gateway
        upstream.plays(status("503 Service Unavailable"))
        _open(pair)
        # Whoever were asked now would be silent for longer than an answer at once may take.
        upstream.plays(Script(b"", "hold"))
        for worker in _workers(gateway, 2):
            with _alone(gateway, worker):
                answer = assert_refused(gateway, "upstream-down")
                assert 500 < int(answer.headers["retry-after"]) <= 600
        for form in FORMS:
            assert_refused(gateway, "upstream-down", form)
        assert upstream.requests == []


class TestBreaker:
    @pytest.fixture(autouse=True)
    def _closed(self, shielded: Pair) -> None:
        upstream, gateway = shielded.upstream, shielded.gateway
        upstream.plays(_WELL)
        until = time.monotonic() + PATIENCE
        while call(gateway).status != 200:
            assert time.monotonic() < until
            time.sleep(0.1)
        # Each worker begins to count.
        for worker in _workers(gateway, 2):
            with _alone(gateway, worker):
                assert call(gateway).status == 200
        upstream.plays(status("503 Service Unavailable"))

    def test_one_call_tries_and_closes_it(self, shielded: Pair, row: AddRow) -> None:
        row(
            _SECTION,
            "is well again after `upstream.breaker_seconds`, and 8 calls come at once",
            "",
            "one the whole answer, the others fault `upstream-down`; from then on all the whole answer",
            1,
        )
        upstream, gateway = shielded.upstream, shielded.gateway
        _open(shielded)
        time.sleep(_REST)
        # Slow enough that the others come meanwhile.
        upstream.plays(Drip(_WELL.data, piece=500, pause=0.2), _WELL)
        answers = _at_once(gateway, 8)
        assert sorted(answer.slug if answer.status == 500 else "" for answer in answers) == ["", *["upstream-down"] * 7]
        assert len(upstream.requests) == 1
        for worker in _workers(gateway, 2):
            with _alone(gateway, worker):
                assert scores(call(gateway)) == records(5)
        assert [scores(answer) for answer in _at_once(gateway, 8)] == [records(5)] * 8

    def test_one_call_tries_and_fails(self, shielded: Pair, row: AddRow) -> None:
        row(
            _SECTION,
            "fails still after `upstream.breaker_seconds`",
            "",
            "one fault `upstream-failed`, then `upstream-down` again",
            1,
        )
        upstream, gateway = shielded.upstream, shielded.gateway
        _open(shielded)
        time.sleep(_REST)
        upstream.plays(status("503 Service Unavailable"))
        assert_refused(gateway, "upstream-failed")
        for worker in _workers(gateway, 2):
            with _alone(gateway, worker):
                assert_refused(gateway, "upstream-down")
        assert len(upstream.requests) == 1

    def test_who_saw_it_open_counts_anew(self, shielded: Pair, row: AddRow) -> None:
        row(
            _SECTION, "fails once after it was down and well again", "", "fault `upstream-failed`, the next is asked", 2
        )
        upstream, gateway = shielded.upstream, shielded.gateway
        first, second = _workers(gateway, 2)
        _open(shielded, first)
        time.sleep(_REST)
        upstream.plays(_WELL)
        with _alone(gateway, second):
            assert call(gateway).status == 200
        upstream.plays(status("503 Service Unavailable"), _WELL)
        with _alone(gateway, first):
            assert_refused(gateway, "upstream-failed")
            assert scores(call(gateway)) == records(5)
        assert len(upstream.requests) == 2

    @pytest.mark.parametrize(
        ("line", "slug"), [("401 Unauthorized", "upstream-authcode"), ("429 Too Many Requests", "upstream-busy")]
    )
    def test_an_upstream_that_answers_is_not_down(self, line: str, slug: str, shielded: Pair, row: AddRow) -> None:
        row(_SECTION, f"answers {line} to every call", "", f"fault `{slug}`, never `upstream-down`", "1 each")
        upstream, gateway = shielded.upstream, shielded.gateway
        upstream.plays(status(line))
        for _ in range(4 * _DOWN):
            assert_refused(gateway, slug)
        assert len(upstream.requests) == 4 * _DOWN


def _open(pair: Pair, worker: int | None = None) -> None:
    """Let one worker fail as often as it takes."""
    with _alone(pair.gateway, worker or _workers(pair.gateway, 2)[0]):
        for _ in range(_DOWN):
            assert_refused(pair.gateway, "upstream-failed")
    assert len(pair.upstream.requests) == _DOWN


def _at_once(gateway: Gateway, calls: int) -> list[Answer]:
    with ThreadPoolExecutor(calls) as pool:
        return list(pool.map(lambda _: call(gateway), range(calls)))


@contextmanager
def _alone(gateway: Gateway, worker: int) -> Iterator[None]:
    """Let one worker answer all calls: the others stand still."""
    others = [pid for pid in _workers(gateway, 2) if pid != worker]
    try:
        for pid in others:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in others:
            os.kill(pid, signal.SIGCONT)


def _workers(gateway: Gateway, count: int) -> list[int]:
    """The process ids of its workers, once all have started."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        pids = re.findall(r"Booting worker with pid: (\d+)", gateway.log.read_text(encoding="utf-8"))
        if len(pids) == count:
            return [int(pid) for pid in pids]
        time.sleep(0.01)
    raise AssertionError(f"{count} workers are not in {gateway.log}")


def _most_memory(pid: int) -> int:
    (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    return int(kilobytes) << 10


def test_an_expired_authcode_is_told_to_the_operator_and_less_to_the_caller(pair: Pair) -> None:
    pair.upstream.plays(status("401 Unauthorized", b"authcode is incorrect or expired"))
    answer = assert_refused(pair.gateway, "upstream-authcode")
    assert "expired" not in answer.fault
    assert "generate a new API key in TOEFL Access" in pair.gateway.log.read_text(encoding="utf-8")
