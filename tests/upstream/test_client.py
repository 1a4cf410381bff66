import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import gevent
import pytest

from shim import __version__
from shim.config import UpstreamSettings
from shim.errors import GatewayError
from shim.query import Format, ScoreQuery
from shim.spool import SpoolQuota
from shim.upstream.client import Client, query_string
from tests.upstream_server import FakeUpstream, Script, chunked, ok

AUTHCODE = "c3ludGhldGljOnN5bnRoZXRpYw=="
QUERY = ScoreQuery(
    datetime.fromisoformat("2025-04-21T16:45:03"),
    datetime.fromisoformat("2025-04-22T16:52:13"),
    "TOEFL",
    "scorelinkbyreportdate",
)
RECORD = b"." * 900 + b"\r\n"
RECORDS = RECORD * 3


def query(type_: str = "TOEFL", format_: Format = "text") -> ScoreQuery:
    return ScoreQuery(QUERY.start, QUERY.end, type_, QUERY.reportby, format_)


def client(url: str, **changes: object) -> Client:
    """Return a client with other limits, a CA file or a proxy."""
    limits = {"connect_timeout": 5, "read_timeout": 5, "max_bytes": 10_000_000}
    settings = UpstreamSettings.model_validate({"url": url, **limits, **changes})
    return Client(settings, SpoolQuota(100_000_000), connections=2, deadline=gevent.Timeout)


@dataclass(frozen=True)
class Fetched:
    """A score file that was read and closed."""

    data: bytes
    size: int
    records: int | None


def fetch(url: str, wanted: ScoreQuery = QUERY, *, with_client: Client | None = None, **limits: object) -> Fetched:
    with closing(with_client or client(url, **limits)) as using, using.fetch(wanted, AUTHCODE) as file:
        return Fetched(file.spool.read(), file.size, file.records)


def fetched(script: Script, wanted: ScoreQuery = QUERY) -> Fetched:
    with FakeUpstream(script) as upstream:
        return fetch(upstream.url, wanted)


def failed(script: Script, **limits: float) -> GatewayError:
    with FakeUpstream(script) as upstream, pytest.raises(GatewayError) as caught:
        fetch(upstream.url, with_client=client(upstream.url, **limits))
    return caught.value


def answer(status: str, body: bytes = b"", headers: str = "") -> Script:
    return Script(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body)


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A listener that nobody may connect to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)  # noqa: FBT003 - the socket module has no names for it
        yield listener
        with pytest.raises(BlockingIOError):
            listener.accept()


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def address(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


class TestRequest:
    def test_it_is_the_guides(self) -> None:
        with FakeUpstream(ok(RECORDS)) as upstream:
            fetch(upstream.url)
            line, *headers = upstream.requests[0].decode().split("\r\n")
        assert line == (
            "GET /scores?startdate=2025-04-21T16:45:03&enddate=2025-04-22T16:52:13"
            "&type=TOEFL&reportby=scorelinkbyreportdate HTTP/1.1"
        )
        assert sorted(headers) == sorted(
            [
                f"Host: 127.0.0.1:{upstream.port}",
                f"authcode: {AUTHCODE}",
                "Accept-Encoding: identity",
                f"User-Agent: toefl-soap-shim/{__version__}",
                "",
                "",
            ]
        )

    def test_json_is_asked_for_at_the_end(self) -> None:
        assert query_string(query(format_="json")) == f"{query_string(QUERY)}&format=json"

    @pytest.mark.parametrize(
        ("value", "sent"),
        [
            ("A&type=B", "A%26type%3DB"),
            ("a b+c", "a%20b%2Bc"),
            ("100%", "100%25"),
            ("%26", "%2526"),
            ("#?/", "%23%3F%2F"),
            ("caf\u00e9", "caf%C3%A9"),
            ("a\r\nX: y", "a%0D%0AX:%20y"),
            ("a:b-c_d.e~f", "a:b-c_d.e~f"),
        ],
    )
    def test_values_are_escaped(self, value: str, sent: str) -> None:
        with FakeUpstream(ok(RECORDS)) as upstream:
            fetch(upstream.url, query(value))
            line = upstream.requests[0].split(b"\r\n")[0].decode()
        assert f"&type={sent}&reportby=" in line

    def test_nothing_of_the_environment_is_used(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, silent: socket.socket
    ) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, address(silent))
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        netrc = tmp_path / ".netrc"
        netrc.write_text("default login synthetic password synthetic\n", encoding="utf-8")
        netrc.chmod(0o600)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("NETRC", str(netrc))
        with FakeUpstream(ok(RECORDS)) as upstream:
            fetch(upstream.url)
            assert b"authorization" not in upstream.requests[0].lower()

    def test_a_configured_proxy_is_used(self) -> None:
        with FakeUpstream(ok(RECORDS)) as proxy:
            url = "http://127.0.0.1:9/scores"
            found = fetch(url, with_client=client(url, proxy=f"http://127.0.0.1:{proxy.port}"))
            assert proxy.requests[0].startswith(f"GET {url}?startdate=".encode())
        assert found.data == RECORDS


class TestScores:
    @pytest.mark.parametrize(
        "script",
        [
            pytest.param(ok(RECORDS), id="with a length"),
            pytest.param(chunked(RECORDS), id="in one chunk"),
            pytest.param(chunked(*(bytes([byte]) for byte in RECORD), RECORD * 2), id="in many chunks"),
            pytest.param(ok(RECORDS, then="hold"), id="connection kept open"),
            pytest.param(ok(RECORDS, "Content-Type: text/plain\r\nContent-Encoding: identity\r\n"), id="with a type"),
            pytest.param(ok(RECORDS, "Content-Type: application/octet-stream\r\n"), id="of another type"),
            pytest.param(ok(RECORDS + b"x" * 0, "Connection: close\r\n"), id="closing"),
        ],
    )
    def test_they_come_as_they_were_sent(self, script: Script) -> None:
        assert fetched(script) == Fetched(RECORDS, len(RECORDS), 3)

    @pytest.mark.parametrize(
        "script", [ok(b""), ok(b"\r\n"), chunked(), chunked(b" \n")], ids=["0", "CRLF", "chunked", "space"]
    )
    def test_an_empty_range(self, script: Script) -> None:
        found = fetched(script)
        assert (found.size, found.records) == (0, 0)

    def test_json(self) -> None:
        assert fetched(ok(b'{"data":[]}'), query(format_="json")) == Fetched(b'{"data":[]}', 11, None)

    def test_the_connection_is_used_again(self) -> None:
        with (
            FakeUpstream(
                ok(RECORDS, then="keep"), chunked(RECORDS, then="keep"), ok(b"", then="keep"), ok(RECORDS)
            ) as upstream,
            closing(client(upstream.url)) as using,
        ):
            for _ in range(4):
                using.fetch(QUERY, AUTHCODE).close()
            assert (len(upstream.requests), upstream.connections) == (4, 1)

    def test_a_kept_connection_that_was_closed_meanwhile_is_made_anew(self) -> None:
        with FakeUpstream(ok(RECORDS), ok(RECORDS)) as upstream, closing(client(upstream.url)) as using:
            for _ in range(2):
                with using.fetch(QUERY, AUTHCODE) as file:
                    assert file.records == 3
                assert upstream.closed.wait(10)
            assert upstream.connections == 2

    def test_after_a_failure_the_next_call_has_a_connection_of_its_own(self) -> None:
        broken = Script(ok(RECORDS).data[:-1])
        with FakeUpstream(broken, ok(RECORDS)) as upstream, closing(client(upstream.url)) as using:
            with pytest.raises(GatewayError, match="upstream-cut"):
                using.fetch(QUERY, AUTHCODE)
            with using.fetch(QUERY, AUTHCODE) as file:
                assert file.spool.read() == RECORDS

    @pytest.mark.parametrize("body", [RECORD, RECORD * 3000], ids=["in memory", "on disk"])
    def test_the_spool_leaves_nothing_behind(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: bytes
    ) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        with FakeUpstream(ok(body)) as upstream, closing(client(upstream.url)) as using:
            before = open_files()
            file = using.fetch(QUERY, AUTHCODE)
            assert file.spool.read() == body
            file.close()
            assert file.spool.closed
            # The connection to the upstream, and its end of it, are kept.
            assert open_files() <= before + 2
        assert list(tmp_path.iterdir()) == []

    def test_a_big_spool_that_cannot_be_written(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nothing"))
        assert failed(ok(RECORD * 3000)).cause.slug == "spool"

    def test_calls_at_the_same_time(self) -> None:
        with (
            FakeUpstream(*[ok(RECORDS, "Connection: close\r\n")] * 6) as upstream,
            closing(client(upstream.url)) as using,
        ):
            found: list[int | None] = []

            def call() -> None:
                with using.fetch(QUERY, AUTHCODE) as file:
                    found.append(file.records)

            threads = [threading.Thread(target=call) for _ in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(10)
        assert found == [3] * 6


class TestStatus:
    @pytest.mark.parametrize(
        ("status", "slug"),
        [
            ("201 Created", "upstream-status"),
            ("204 No Content", "upstream-status"),
            ("206 Partial Content", "upstream-status"),
            ("400 Bad Request", "upstream-query"),
            ("401 Unauthorized", "upstream-authcode"),
            ("403 Forbidden", "upstream-forbidden"),
            ("404 Not Found", "upstream-address"),
            ("405 Method Not Allowed", "upstream-status"),
            ("418 I'm a teapot", "upstream-status"),
            ("429 Too Many Requests", "upstream-busy"),
            ("500 Internal Server Error", "upstream-failed"),
            ("502 Bad Gateway", "upstream-failed"),
            ("503 Service Unavailable", "upstream-failed"),
            ("599", "upstream-failed"),
        ],
    )
    def test_of_a_refusal(self, status: str, slug: str) -> None:
        # Whole records in it: the status alone decides.
        error = failed(answer(status, b"" if status.startswith("204") else RECORDS))
        assert (error.cause.slug, error.note) == (slug, f"HTTP {status[:3]}")

    @pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
    def test_a_redirect_is_not_followed(self, status: int, silent: socket.socket) -> None:
        error = failed(answer(f"{status} Elsewhere", headers=f"Location: {address(silent)}/scores\r\n"))
        assert (error.cause.slug, error.note) == ("upstream-redirect", f"HTTP {status}")

    @pytest.mark.parametrize(
        ("sentence", "slug"),
        [
            ("startdate is required", "upstream-query"),
            ("enddate is required", "upstream-query"),
            ("type/program is required", "upstream-query"),
            ("reportby is required", "upstream-query"),
            ("Invalid credentials format", "upstream-authcode"),
        ],
    )
    @pytest.mark.parametrize("form", ["{}", '{{"message":"{}"}}', "{}\r\n"], ids=["text", "JSON", "line"])
    def test_the_sentences_of_a_400(self, sentence: str, slug: str, form: str) -> None:
        error = failed(answer("400 Bad Request", form.format(sentence).encode()))
        assert error.cause.slug == slug
        assert error.note == (f"HTTP 400 {sentence}" if slug == "upstream-query" else "HTTP 400")

    def test_no_other_sentence_is_passed_on(self) -> None:
        error = failed(answer("400 Bad Request", b"synthetic-secret"))
        assert (error.cause.slug, error.note, error.detail) == ("upstream-query", "HTTP 400", "")

    @pytest.mark.parametrize("body", [b"", b"x" * 200_000], ids=["empty", "long"])
    def test_a_400_of_any_length(self, body: bytes) -> None:
        assert failed(answer("400 Bad Request", body)).cause.slug == "upstream-query"

    def test_a_401_of_no_announced_length(self) -> None:
        assert failed(Script(b"HTTP/1.1 401 Unauthorized\r\n\r\nno")).cause.slug == "upstream-authcode"


WHOLE = ok(RECORDS, "Content-Type: text/plain\r\n").data
IN_CHUNKS = chunked(RECORD, RECORD * 2).data
# With the "0" of the last chunk all has arrived; only line ends and trailers follow.
LAST_CHUNK = len(IN_CHUNKS) - len(b"0\r\n\r\n")


class TestCut:
    @pytest.mark.parametrize(
        "at", [*range(WHOLE.index(b"\r\n\r\n") + 4), len(WHOLE) - len(RECORD), len(WHOLE) - 2, len(WHOLE) - 1]
    )
    def test_with_a_length(self, at: int) -> None:
        error = failed(Script(WHOLE[:at]))
        assert error.cause.slug in ("upstream-cut", "upstream-not-scores")
        if at > WHOLE.index(b"\r\n\r\n"):
            assert error.cause.slug == "upstream-cut"

    @pytest.mark.parametrize(
        "at", sorted({*range(60), 500, *range(950, 966), LAST_CHUNK - 900, LAST_CHUNK - 2, LAST_CHUNK})
    )
    def test_in_chunks(self, at: int) -> None:
        error = failed(Script(IN_CHUNKS[:at]))
        assert error.cause.slug in ("upstream-cut", "upstream-not-scores")
        if at > IN_CHUNKS.index(b"\r\n\r\n"):
            assert error.cause.slug == "upstream-cut"

    @pytest.mark.parametrize(
        "length",
        ["", "x", "2706x", "-1", "0x0", "\u0662"],
        ids=["empty", "letters", "digits and letters", "negative", "hexadecimal", "other digits"],
    )
    def test_a_length_that_is_none(self, length: str) -> None:
        for body in (b"", RECORDS, RECORDS[:902]):
            script = Script(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode() + body)
            assert failed(script).cause.slug in ("upstream-cut", "upstream-not-scores", "upstream-unreachable")

    def test_lengths_that_contradict(self) -> None:
        script = Script(b"HTTP/1.1 200 OK\r\nContent-Length: 902\r\nContent-Length: 1804\r\n\r\n" + RECORDS)
        failed(script)

    @pytest.mark.parametrize("size", ["", "x", "-386", "386 386"], ids=["empty", "letters", "negative", "two"])
    def test_a_size_of_a_chunk_that_is_none(self, size: str) -> None:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert failed(Script(head + size.encode() + b"\r\n" + RECORD + b"\r\n0\r\n\r\n")).cause.slug == "upstream-cut"

    def test_a_body_that_ends_with_the_connection(self) -> None:
        error = failed(Script(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + RECORDS))
        assert error.cause.slug == "upstream-not-scores"

    @pytest.mark.parametrize(
        "data", [b"", b"\r\n", b"SSH-2.0-x\r\n", RECORDS], ids=["nothing", "line", "SSH", "HTTP/0.9"]
    )
    def test_no_http(self, data: bytes) -> None:
        assert failed(Script(data)).cause.slug == "upstream-cut"


class TestNoScores:
    @pytest.mark.parametrize(
        "script",
        [
            pytest.param(ok(RECORDS, "Content-Type: text/html\r\n"), id="HTML by its type"),
            pytest.param(ok(RECORDS, "Content-Type: application/xhtml+xml; x=HTML\r\n"), id="XHTML by its type"),
            pytest.param(ok(b"<html>" + b" " * 900), id="HTML"),
            pytest.param(ok(b'{"error":"x"}'), id="JSON"),
            pytest.param(ok(b"startdate is required"), id="sentence"),
            pytest.param(ok(RECORD + b"." * 899 + b"\r\n" + RECORD), id="damaged record"),
            pytest.param(ok(RECORDS, "Content-Encoding: gzip\r\n"), id="gzip"),
            pytest.param(ok(RECORDS, "Content-Encoding: br\r\n"), id="br"),
        ],
    )
    def test_a_200_that_is_no_score_file(self, script: Script) -> None:
        assert failed(script).cause.slug == "upstream-not-scores"

    @pytest.mark.parametrize("make", [ok, chunked])
    def test_the_limit_is_at_the_byte(self, make: "type[Script]") -> None:
        for limit, slug in ((len(RECORDS), ""), (len(RECORDS) - 1, "upstream-too-large")):
            if slug:
                assert failed(make(RECORDS), max_bytes=limit).cause.slug == slug
            else:
                with FakeUpstream(make(RECORDS)) as upstream:
                    assert fetch(upstream.url, max_bytes=limit).records == 3


class TestUnreachable:
    @pytest.mark.parametrize(
        "data",
        [b"", WHOLE[:10], WHOLE[: WHOLE.index(b"\r\n\r\n")], WHOLE[:-1]],
        ids=["nothing", "status", "headers", "body"],
    )
    def test_an_upstream_that_falls_silent(self, data: bytes) -> None:
        error = failed(Script(data, then="hold"), read_timeout=0.1)
        assert error.cause.slug == "upstream-timeout"

    def test_a_connection_that_is_not_answered(self) -> None:
        # With nobody accepting, the queue of the listener fills up and further connections hang.
        with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
            waiting = [socket.socket() for _ in range(4)]
            try:
                for one in waiting:
                    one.setblocking(False)  # noqa: FBT003 - as above
                    one.connect_ex(listener.getsockname())
                with pytest.raises(GatewayError, match="upstream-timeout"):
                    fetch(address(listener), connect_timeout=0.2)
            finally:
                for one in waiting:
                    one.close()

    def test_a_connection_that_is_refused(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = address(listener)
        with pytest.raises(GatewayError, match="upstream-unreachable"):
            fetch(url)

    def test_a_proxy_that_refuses(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            proxy = address(listener)
        with pytest.raises(GatewayError, match="upstream-unreachable"):
            fetch("", with_client=client("http://127.0.0.1:9/scores", proxy=proxy))

    def test_plain_text_where_tls_is_spoken(self) -> None:
        with FakeUpstream(answer("400 Bad Request")) as upstream, pytest.raises(GatewayError, match="upstream-tls"):
            fetch(upstream.url.replace("http:", "https:"))

    @pytest.mark.parametrize("script", [Script(b""), answer("401 No"), answer("400 No", b"x"), ok(b"<html>")])
    def test_no_failure_tells_the_authcode(self, script: Script) -> None:
        error: BaseException | None = failed(script)
        while error is not None:
            assert AUTHCODE not in f"{error!r} {error} {vars(error)}"
            error = error.__cause__


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key of its own and a certificate for 127.0.0.1 that nobody else trusts."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    key = path.with_name("key.pem")
    options = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        [openssl, "req", "-x509", *options, *names, "-keyout", key, "-out", path], check=True, capture_output=True
    )
    path.write_text(path.read_text(encoding="ascii") + key.read_text(encoding="ascii"), encoding="ascii")
    return path


class TestTls:
    def test_a_certificate_of_a_named_authority_is_trusted(self, certificate: Path) -> None:
        with FakeUpstream(ok(RECORDS), certificate=certificate) as upstream:
            found = fetch("", with_client=client(upstream.url, ca_file=str(certificate)))
        assert found.data == RECORDS

    def test_any_other_is_not(self, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        # What requests' session would read is not read here.
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        monkeypatch.setenv("CURL_CA_BUNDLE", str(certificate))
        with (
            FakeUpstream(ok(RECORDS), certificate=certificate) as upstream,
            pytest.raises(GatewayError, match="upstream-tls"),
        ):
            fetch(upstream.url)
        assert upstream.requests == []
