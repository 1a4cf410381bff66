"""A failing upstream: the caller gets a fault in its own SOAP version, and never a part of a score file."""

import os
import re
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Final

import pytest

from shim.upstream.authcode import Authcode
from tests.faults.table import AddRow
from tests.faults.upstream_calls import FORMS, UPSTREAM, assert_fault, assert_refused, call, scores
from tests.faults.upstream_cases import PLANTED, Case, body_of, cases, records, status, whole
from tests.faults.upstream_tls import Authority
from tests.gateway import Gateway, Settings, running_gateway, write_secret
from tests.processes import PATIENCE, free_port, wait_until
from tests.soap_http import Answer
from tests.upstream_server import FakeUpstream, Script, gated, ok

_SECTION: Final = "The upstream"
_WELL: Final = whole(records(5))
_SHORT: Final = 1.5
"""Seconds of the read timeout where the upstream falls silent."""
_SILENT_AT_A_TIME: Final = 32
_OTHERS_AT_A_TIME: Final = 4
sizes = pytest.mark.parametrize("size", ["3 records", "16 MB"])


@dataclass(frozen=True)
class Pair:
    """An upstream and the gateway before it."""

    upstream: FakeUpstream
    gateway: Gateway

    def assert_well(self) -> None:
        """Assert that the next call succeeds, with one request."""
        self.upstream.play(_WELL)
        assert scores(call(self.gateway)) == records(5)
        assert len(self.upstream.requests) == 1


@dataclass(frozen=True)
class Ended:
    """How a call ended.

    Attributes:
        answer: The answer.
        requests: The number of requests that the upstream saw.
        next_answer: The answer to the next call, for which the upstream was well again.
    """

    answer: Answer
    requests: int
    next_answer: Answer


@contextmanager
def _pair(folder: Path, upstream_settings: Settings | None = None, **tables: object) -> Iterator[Pair]:
    settings = {"upstream": {**UPSTREAM, **(upstream_settings or {})}, **tables}
    with FakeUpstream() as upstream, running_gateway(upstream.url, folder, settings, planted=[PLANTED]) as gateway:
        yield Pair(upstream, gateway)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with _pair(tmp_path_factory.mktemp("faults")) as pair:
        yield pair


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A gateway that does not wait long for an upstream that is silent."""
    with _pair(tmp_path_factory.mktemp("silence"), {"connect_timeout": 1, "read_timeout": _SHORT}) as pair:
        yield pair


@pytest.fixture(scope="module")
def ended(pair: Pair, impatient: Pair, request: pytest.FixtureRequest) -> dict[Case, Ended]:
    """The outcomes of the selected cases; they run side by side, as most of their time is waiting.

    Each case has its own day, by which the upstream knows its requests. No response leaves a connection that a call of
    another case could use again: the upstream closes each, and says so where the response is whole.
    """
    specs = [getattr(item, "callspec", None) for item in request.session.items]
    wanted = [spec.params["case"] for spec in specs if spec is not None and "case" in spec.params]
    days = {case: f"{date(2000, 1, 1) + timedelta(days=number)}" for number, case in enumerate(wanted)}
    with ThreadPoolExecutor(_SILENT_AT_A_TIME) as waiting, ThreadPoolExecutor(_OTHERS_AT_A_TIME) as working:
        futures = {
            case: waiting.submit(_carry_out, case, impatient, days[case])
            if case.is_silent
            else working.submit(_carry_out, case, pair, days[case])
            for case in wanted
        }
    return {case: future.result() for case, future in futures.items()}


def _carry_out(case: Case, pair: Pair, day: str) -> Ended:
    words = f"startdate={day}T"
    pair.upstream.play(*case.scripts(), to=words)
    answer = call(pair.gateway, case.form, day)
    requests = pair.upstream.seen(words)
    pair.upstream.play(_WELL, to=words)
    return Ended(answer, requests, call(pair.gateway, start=day))


@pytest.mark.parametrize("case", list(cases()), ids=repr)
def test_a_whole_score_file_or_a_fault(
    case: Case, pair: Pair, impatient: Pair, ended: dict[Case, Ended], row: AddRow
) -> None:
    section = (
        _SECTION
        if case.form == "SOAP 1.1"
        else f"{_SECTION}, asked {'' if case.form == 'in band' else 'in '}{case.form}"
    )
    row(section, case.fault, case.size, case.answer, case.requests)
    found = ended[case]
    if case.slug:
        assert_fault((impatient if case.is_silent else pair).gateway, found.answer, case.slug, case.form)
    else:
        assert scores(found.answer) == body_of(case.size)
    assert found.requests == case.requests
    assert scores(found.next_answer) == records(5)


def test_a_gzip_bomb_is_not_unpacked(pair: Pair) -> None:
    before = _most_memory(pair.gateway.worker())
    bombs = [case for case in cases() if "bomb" in case.fault]
    for bomb in bombs:
        pair.upstream.play(*bomb.scripts())
        assert_refused(pair.gateway, bomb.slug)
    assert len(bombs) == 2
    assert _most_memory(pair.gateway.worker()) - before < 100 << 20


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
        pair.upstream.play(Script(ok(body, then="keep").data + extra, "keep"), ok(records(5), then="keep"), _WELL)
        assert scores(call(pair.gateway)) == body
        assert len(pair.upstream.requests) == 1
        for _ in range(2):
            assert scores(call(pair.gateway)) == records(5)
        assert len(pair.upstream.requests) == 3

    @sizes
    def test_it_is_used_again(self, size: str, pair: Pair) -> None:
        # Without this, the tests of its failures would show nothing.
        body = body_of(size)
        pair.upstream.play(*[ok(body, then="keep")] * 2, ok(body))
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
        kept = ok(body, then="keep")
        first = {
            "closes while it is idle": [replace(kept, then="close")],
            "closes at the next request": [kept, Script(b"", "close")],
            "resets at the next request": [kept, Script(b"", "reset")],
        }[ending]
        pair.upstream.play(*first, whole(body))
        pair.upstream.closed.clear()
        assert scores(call(pair.gateway)) == body
        if ending == "closes while it is idle":
            assert pair.upstream.closed.wait(PATIENCE)
        before = len(pair.upstream.requests)
        assert scores(call(pair.gateway)) == body
        assert len(pair.upstream.requests) - before == seen


class TestRetries:
    def test_another_attempt_sends_the_same_request(self, pair: Pair) -> None:
        pair.upstream.play(status("503 Service Unavailable"), Script(b""), _WELL)
        assert scores(call(pair.gateway)) == records(5)
        assert len(set(pair.upstream.requests)) == 1

    @pytest.mark.parametrize(
        ("line", "form", "seconds"),
        # A date has whole seconds: the wait for it may be up to a second shorter.
        [("429 Too Many Requests", "seconds", 1), ("503 Service Unavailable", "a date", 2)],
    )
    def test_a_retry_after_that_fits_is_waited_for(
        self, line: str, form: str, seconds: int, pair: Pair, row: AddRow
    ) -> None:
        row(_SECTION, f"answers {line} with Retry-After as {form}, within the deadline", "", "the whole answer", 2)
        pair.upstream.play(status(line, headers=_retry_after(form, seconds)), _WELL)
        began = time.monotonic()
        assert scores(call(pair.gateway)) == records(5)
        assert time.monotonic() - began >= 1
        assert len(pair.upstream.requests) == 2

    @pytest.mark.parametrize(
        ("line", "slug"),
        [("429 Too Many Requests", "upstream-busy"), ("503 Service Unavailable", "upstream-failed")],
    )
    @pytest.mark.parametrize("form", ["seconds", "a date"])
    def test_a_retry_after_beyond_the_deadline_is_a_fault_at_once(
        self, form: str, line: str, slug: str, pair: Pair, row: AddRow
    ) -> None:
        fault = f"answers {line} with Retry-After as {form}, beyond the deadline"
        row(_SECTION, fault, "", f"fault `{slug}`, at once, with Retry-After", 1)
        pair.upstream.play(status(line, headers=_retry_after(form, 3600)))
        answer = assert_refused(pair.gateway, slug)  # a gateway that waited would say upstream-timeout
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
    def test_an_invalid_or_past_retry_after_is_ignored(self, value: str, pair: Pair, row: AddRow) -> None:
        fault = "answers 503 with a Retry-After that is past or no time at all"
        row(_SECTION, fault, "", "the whole answer", 2, named=value[:40] or "nothing")
        pair.upstream.play(status("503 Service Unavailable", headers=f"Retry-After: {value}\r\n"), _WELL)
        assert scores(call(pair.gateway)) == records(5)
        assert len(pair.upstream.requests) == 2

    def test_the_caller_is_told_a_day_at_most(self, pair: Pair) -> None:
        pair.upstream.play(status("503 Service Unavailable", headers=f"Retry-After: {'9' * 400}\r\n"))
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
    following = write_secret(tmp_path / "next", Authcode.of("synthetic", "next").value)
    authcodes = [{"name": "main", "file": str(tmp_path / "gateway" / "authcode"), "next_file": str(following)}]
    timeouts = {"deadline": 4, "read_timeout": 4}
    with _pair(tmp_path / "gateway", timeouts, authcodes=authcodes) as pair:
        refusal = status("401 Unauthorized", b"").data
        # The second answer comes in time for a deadline of its own, and too late for that of the call.
        pair.upstream.play(Script(b"", steps=[2.0, refusal]), Script(b"", steps=[3.0, _WELL.data]))
        assert_refused(pair.gateway, "upstream-timeout")
        assert len(pair.upstream.requests) == 2


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(code: int, pair: Pair, row: AddRow) -> None:
    row(_SECTION, f"answers {code} to another host", "", "fault `upstream-redirect`", "1, none elsewhere")
    with FakeUpstream(_WELL) as elsewhere:
        pair.upstream.play(status(f"{code} Elsewhere", headers=f"Location: {elsewhere.url}\r\n"))
        assert_refused(pair.gateway, "upstream-redirect")
        assert (len(pair.upstream.requests), elsewhere.connections) == (1, 0)


class TestConnecting:
    """The gateway makes one attempt, so that no test waits for others."""

    def test_refused(self, tmp_path: Path, row: AddRow) -> None:
        row(_SECTION, "refuses the connection", "", "fault `upstream-unreachable`", 0)
        self._assert_refused(f"http://127.0.0.1:{free_port()}/scores", tmp_path, "upstream-unreachable")

    def test_not_answered(self, tmp_path: Path, row: AddRow) -> None:
        row(_SECTION, "lets connections wait", "", "fault `upstream-timeout`", 0)
        # Nothing accepts connections: the listener's queue fills up, and further connections hang.
        with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as stack:
            for _ in range(4):
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)  # noqa: FBT003 - the socket module has no names for it
                waiting.connect_ex(listener.getsockname())
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/scores"
            self._assert_refused(url, tmp_path, "upstream-timeout")

    def test_no_such_name(self, tmp_path: Path, row: AddRow) -> None:
        row(_SECTION, "its name is not known", "", "fault `upstream-unreachable`", 0)
        # The name is longer than a name may be: the resolver refuses it without a query.
        name = ".".join(["a" * 60] * 5)
        self._assert_refused(f"https://{name}.invalid/scores", tmp_path, "upstream-unreachable")

    @staticmethod
    def _assert_refused(url: str, folder: Path, slug: str) -> None:
        with running_gateway(url, folder, {"upstream": {"connect_timeout": 1, "attempts": 1}}) as gateway:
            assert_refused(gateway, slug)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def secured(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with FakeUpstream() as upstream:
        upstream.tls = authority.server()
        settings = {
            "upstream": {**UPSTREAM, "attempts": 1, "connect_timeout": 2, "ca_file": str(authority.certificate)}
        }
        folder = tmp_path_factory.mktemp("tls")
        with running_gateway(upstream.url, folder, settings, planted=[PLANTED]) as gateway:
            yield Pair(upstream, gateway)


class TestTls:
    @pytest.fixture(autouse=True)
    def _well_before_and_after(self, secured: Pair, authority: Authority) -> Iterator[None]:
        # A refusal in between has its own reason then.
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
        # If this OpenSSL no longer speaks the version, the test would show nothing.
        client = _of_version(ssl.create_default_context(cafile=authority.certificate), version)
        with (
            socket.create_connection(("127.0.0.1", secured.upstream.port)) as plain,
            client.wrap_socket(plain, server_hostname="127.0.0.1") as old,
        ):
            assert old.version() == {"TLS 1.0": "TLSv1", "TLS 1.1": "TLSv1.1"}[name]
        self._assert_not_trusted(secured)

    @pytest.mark.parametrize(
        "filler",
        # An answer is read in steps of 8 KiB. TLS may hold more bytes, which a look at the socket does not show.
        [pytest.param(8192, id="unpacked"), pytest.param(0, id="read"), pytest.param(20_000, id="not unpacked")],
    )
    def test_bytes_beyond_content_length_reach_nobody(self, filler: int, secured: Pair, row: AddRow) -> None:
        row(
            _SECTION, "sends more than Content-Length, over TLS", "", "the whole answer, and so does the next", "1 each"
        )
        extra = ok(records(7), then="keep").data
        first = ok(records(3), then="keep").data.ljust(filler, b"x") + extra
        secured.upstream.play(Script(first, "keep"), ok(records(5), then="keep"), _WELL)
        assert scores(call(secured.gateway)) == records(3)
        for _ in range(2):
            assert scores(call(secured.gateway)) == records(5)
        assert len(secured.upstream.requests) == 3

    def test_a_kept_connection_is_used_again(self, secured: Pair) -> None:
        secured.upstream.play(*[ok(records(5), then="keep")] * 2, _WELL)
        assert [scores(call(secured.gateway)) for _ in range(3)] == [records(5)] * 3
        assert secured.upstream.connections == 1

    def test_plain_text(self, secured: Pair, row: AddRow) -> None:
        row(_SECTION, "speaks no TLS", "", "fault `upstream-tls`", 0)
        secured.upstream.tls = None
        secured.upstream.play(status("400 Bad Request"))
        assert_refused(secured.gateway, "upstream-tls")
        assert not any(b"authcode" in seen for seen in secured.upstream.requests)

    def test_a_handshake_that_never_ends(self, secured: Pair, row: AddRow) -> None:
        row(_SECTION, "never ends the TLS handshake", "", "fault `upstream-timeout`", 0)
        secured.upstream.tls = None
        secured.upstream.play(Script(b"", "hold"))
        assert_refused(secured.gateway, "upstream-timeout")
        assert not any(b"authcode" in seen for seen in secured.upstream.requests)

    @staticmethod
    def _assert_not_trusted(secured: Pair) -> None:
        secured.upstream.play(_WELL)
        assert_refused(secured.gateway, "upstream-tls")
        assert (secured.upstream.requests, secured.upstream.connections) == ([], 1)


def _of_version(context: ssl.SSLContext, version: ssl.TLSVersion) -> ssl.SSLContext:
    context.minimum_version = context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


_DOWN: Final = 3
"""Failures in a row that open the breaker."""
_REST: Final = 3.0
"""Seconds that the breaker stays open, where a test waits for its end."""


def _shielded(folder: Path, seconds: float) -> AbstractContextManager[Pair]:
    """Run a gateway with two workers, whose breaker stays open for so many seconds."""
    upstream = {"attempts": 1, "breaker_failures": _DOWN, "breaker_seconds": seconds}
    return _pair(folder, upstream, gateway={"workers": 2})


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
        upstream.play(status("503 Service Unavailable"))
        _open(pair)
        # A gateway that still asked the upstream would say upstream-timeout.
        upstream.play(Script(b"", "hold"))
        for worker in gateway.workers():
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
        upstream.play(_WELL)
        wait_until(lambda: call(gateway).status == 200, "closed breaker")
        # Each worker starts counting at zero.
        for worker in gateway.workers():
            with _alone(gateway, worker):
                assert call(gateway).status == 200
        upstream.play(status("503 Service Unavailable"))

    def test_one_call_tries_the_upstream_and_closes_it(self, shielded: Pair, row: AddRow) -> None:
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
        gate = threading.Event()
        upstream.play(gated(_WELL, gate), _WELL)
        with ThreadPoolExecutor(8) as pool:
            calls = [pool.submit(call, gateway) for _ in range(8)]
            wait_until(lambda: sum(one.done() for one in calls) == 7, "seven answers")
            gate.set()
        slugs = sorted(one.result().slug if one.result().status == 500 else "" for one in calls)
        assert slugs == ["", *["upstream-down"] * 7]
        assert len(upstream.requests) == 1
        for worker in gateway.workers():
            with _alone(gateway, worker):
                assert scores(call(gateway)) == records(5)
        with ThreadPoolExecutor(8) as pool:
            answers = pool.map(lambda _: call(gateway), range(8))
            assert [scores(answer) for answer in answers] == [records(5)] * 8

    def test_one_call_tries_the_upstream_and_opens_it_again(self, shielded: Pair, row: AddRow) -> None:
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
        upstream.play(status("503 Service Unavailable"))
        assert_refused(gateway, "upstream-failed")
        for worker in gateway.workers():
            with _alone(gateway, worker):
                assert_refused(gateway, "upstream-down")
        assert len(upstream.requests) == 1

    def test_a_worker_that_saw_it_open_starts_counting_at_zero(self, shielded: Pair, row: AddRow) -> None:
        row(
            _SECTION, "fails once after it was down and well again", "", "fault `upstream-failed`, the next is asked", 2
        )
        upstream, gateway = shielded.upstream, shielded.gateway
        first, second = gateway.workers()
        _open(shielded, first)
        time.sleep(_REST)
        upstream.play(_WELL)
        with _alone(gateway, second):
            assert call(gateway).status == 200
        upstream.play(status("503 Service Unavailable"), _WELL)
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
        upstream.play(status(line))
        for _ in range(4 * _DOWN):
            assert_refused(gateway, slug)
        assert len(upstream.requests) == 4 * _DOWN


def _open(pair: Pair, worker: int | None = None) -> None:
    """Let the calls of one worker fail until the breaker opens."""
    with _alone(pair.gateway, worker or pair.gateway.workers()[0]):
        for _ in range(_DOWN):
            assert_refused(pair.gateway, "upstream-failed")
    assert len(pair.upstream.requests) == _DOWN


@contextmanager
def _alone(gateway: Gateway, worker: int) -> Iterator[None]:
    """Suspend all workers but one until the end of the block."""
    others = [pid for pid in gateway.workers() if pid != worker]
    try:
        for pid in others:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in others:
            os.kill(pid, signal.SIGCONT)


def _most_memory(pid: int) -> int:
    (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    return int(kilobytes) << 10


def test_an_expired_authcode_is_explained_to_the_operator_and_not_to_the_caller(pair: Pair) -> None:
    pair.upstream.play(status("401 Unauthorized", b"authcode is incorrect or expired"))
    answer = assert_refused(pair.gateway, "upstream-authcode")
    assert "expired" not in answer.fault
    assert "generate a new API key in TOEFL Access" in pair.gateway.log_text
