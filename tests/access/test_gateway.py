"""Who may call, as clients see it: gateways as processes, two workers each."""

import base64
import itertools
import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from shim import errors
from shim.access.throttle import REFUSE_AFTER
from shim.sandbox import Sandbox
from shim.upstream.authcode import Authcode
from shim.wire import inband
from shim.wire.dialect import Version
from tests.access.offers import (
    OWN_HASH,
    OWN_PASSWORD,
    OWN_USER,
    PLANTED,
    SECRET,
    USER,
    basic_header,
    digest_token,
    text_token,
)
from tests.access.processes import arguments, ask, processes
from tests.gateway import Gateway, running_gateway
from tests.soap_http import SOAP_11, SOAP_12, Answer
from tests.web import calls

AUTHCODE: Final = Authcode.of(USER, SECRET).value
FILE_USER: Final = "nightly"
_sources: Final = itertools.count(1)
LONG: Final = "x" * 1025
SUBJECT: Final = "CN=registrar,O=Example"
_ENCODED: Final = tuple(base64.b64encode(secret.encode()).decode() for secret in PLANTED)


@contextmanager
def gateway_of(sandbox: Sandbox, folder: Path, callers: list[dict[str, Any]], **settings: object) -> Iterator[Gateway]:
    """A gateway; at its end neither its log nor what others can see of it holds a secret."""
    tables = {"gateway": {"workers": 2}, "callers": callers, **settings}
    planted = (*PLANTED, *_ENCODED)
    with running_gateway(sandbox.url, folder / "gateway", tables, authcode=AUTHCODE, planted=planted) as gateway:
        yield gateway
        assert len(processes(gateway)) >= 2, "the server and at least one worker"
        assert "shim" in arguments(gateway)
        assert not [secret for secret in (AUTHCODE, *planted) if secret in arguments(gateway)]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.authcodes = {AUTHCODE}
        yield running


@pytest.fixture(scope="module")
def gateway(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Callers that prove themselves in three ways."""
    folder = tmp_path_factory.mktemp("gateway")
    secret = folder / "secret"
    secret.write_text(OWN_PASSWORD, encoding="utf-8")
    secret.chmod(0o600)
    callers = [
        {"name": "registrar", "credentials": "authcode"},
        {"name": "import", "credentials": "own", "user": OWN_USER, "password_hash": OWN_HASH},
        {"name": "nightly", "credentials": "own", "user": FILE_USER, "secret_file": str(secret)},
    ]
    with gateway_of(sandbox, folder, callers) as running:
        yield running


@pytest.fixture(scope="module")
def passing(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    callers = [{"name": "whoever", "credentials": "pass-through"}]
    with gateway_of(sandbox, tmp_path_factory.mktemp("passing"), callers, authcodes=[]) as running:
        yield running


@pytest.fixture(scope="module")
def behind(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    callers: list[dict[str, Any]] = [
        {"name": "campus", "networks": ["192.0.2.0/24", "2001:db8::/32"]},
        {"name": "registrar", "certificate": SUBJECT},
    ]
    gateway = {"workers": 2, "trusted_proxies": ["127.0.3.0/24"]}
    with gateway_of(sandbox, tmp_path_factory.mktemp("behind"), callers, gateway=gateway) as running:
        yield running


@pytest.fixture(scope="module")
def default(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway_of(sandbox, tmp_path_factory.mktemp("default"), []) as running:
        yield running


def get_scores(security: str = "", version: Version = Version.SOAP_11) -> str:
    return calls.envelope(version=version, headers=security)


def by_report_date(user: str | None = None, password: str | None = None, security: str = "") -> str:
    parts = {"userName": user, "password": password, "reportstartdate": "04/21/2025", "reportenddate": "04/22/2025"}
    inner = calls.elements({name: value for name, value in parts.items() if value is not None})
    operation = "getScorelinkDataByReportDate"
    return calls.envelope(f'<{operation} xmlns="{calls.NAMESPACE}">{inner}</{operation}>', headers=security)


def words(answer: Answer) -> str:
    """The fault, or the legacy sentence, without the number of the request."""
    text = answer.fault or (answer.result or b"").decode()
    assert not [secret for secret in (*PLANTED, AUTHCODE, USER, OWN_USER) if secret in text]
    return re.sub("request [0-9a-f]{16}", "request", text)


def logged(gateway: Gateway, answer: Answer) -> dict[str, Any]:
    """The line of a call in the log, which is written once its answer was sent."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        lines = map(json.loads, gateway.log.read_text(encoding="utf-8").splitlines())
        for line in lines:
            if line.get("request") == answer.headers["x-request-id"]:
                return dict(line)
        time.sleep(0.01)
    pytest.fail("a call is not in the log")


class TestRight:
    @pytest.mark.parametrize(
        ("name", "body", "authorization"),
        [
            pytest.param("registrar", lambda: by_report_date(USER, SECRET), "", id="body"),
            pytest.param("registrar", lambda: get_scores(text_token()), "", id="token"),
            pytest.param("registrar", lambda: get_scores(digest_token()), "", id="digest"),
            pytest.param("registrar", get_scores, basic_header(), id="Basic"),
            pytest.param(
                "registrar",
                lambda: by_report_date(USER, SECRET, digest_token()),
                basic_header(),
                id="all that there is",
            ),
            pytest.param("import", lambda: by_report_date(OWN_USER, OWN_PASSWORD), "", id="own: body"),
            pytest.param("import", lambda: get_scores(text_token(OWN_USER, OWN_PASSWORD)), "", id="own: token"),
            pytest.param("import", get_scores, basic_header(OWN_USER, OWN_PASSWORD), id="own: Basic"),
            pytest.param(
                "import", get_scores, basic_header(OWN_USER, OWN_PASSWORD, "latin-1"), id="own: Basic, Latin-1"
            ),
            pytest.param("nightly", lambda: get_scores(text_token(FILE_USER, OWN_PASSWORD)), "", id="file: token"),
            pytest.param("nightly", lambda: get_scores(digest_token(FILE_USER, OWN_PASSWORD)), "", id="file: digest"),
        ],
    )
    def test_it_gets_scores_and_a_line_in_the_log(
        self, gateway: Gateway, name: str, body: Callable[[], str], authorization: str
    ) -> None:
        answer = ask(gateway, body(), {"Authorization": authorization} if authorization else {}, source="127.0.1.1")
        assert answer.status == 200
        assert answer.result is not None
        assert len(answer.result) > 1000
        line = logged(gateway, answer)
        assert (line["outcome"], line["caller"], line["address"]) == ("ok", name, "127.0.1.1")
        assert line["records"] > 0
        assert line["operation"] in ("GetScores", "getScorelinkDataByReportDate")
        assert line["start"] < line["end"]

    def test_in_soap_12(self, gateway: Gateway) -> None:
        answer = ask(gateway, get_scores(digest_token(), Version.SOAP_12), version=SOAP_12)
        assert (answer.status, answer.version) == (200, SOAP_12)


def _marked(header: str) -> str:
    return header.replace("<Security ", f'<Security xmlns:s="{SOAP_11}" s:mustUnderstand="1" ')


WRONG: Final = [
    pytest.param(lambda: text_token("x"), "", id="token: user"),
    pytest.param(lambda: text_token(password="x"), "", id="token: password"),
    pytest.param(lambda: text_token("x", "x"), "", id="token: both"),
    pytest.param(lambda: text_token(OWN_USER, SECRET), "", id="token: another's password"),
    pytest.param(lambda: text_token("üser", "パスワード"), "", id="token: not ASCII"),
    pytest.param(lambda: text_token(LONG, LONG), "", id="token: oversized"),
    pytest.param(lambda: _marked(text_token(kind="PasswordOther")), "", id="token: malformed"),
    pytest.param(lambda: digest_token("x"), "", id="digest: user"),
    pytest.param(lambda: digest_token(password="x"), "", id="digest: password"),
    pytest.param(lambda: digest_token(late=timedelta(minutes=6)), "", id="digest: old"),
    pytest.param(lambda: digest_token(late=timedelta(minutes=-6)), "", id="digest: early"),
    pytest.param(lambda: digest_token(nonce=b""), "", id="digest: malformed"),
    pytest.param(lambda: digest_token(OWN_USER, OWN_PASSWORD), "", id="digest: only a hash is known"),
    pytest.param(str, basic_header("x"), id="Basic: user"),
    pytest.param(str, basic_header(password="x"), id="Basic: password"),
    pytest.param(str, "Basic !", id="Basic: malformed"),
    pytest.param(str, basic_header(LONG), id="Basic: oversized"),
    pytest.param(lambda: text_token("x"), basic_header(), id="conflicting: token wrong, Basic right"),
    pytest.param(text_token, basic_header(password="x"), id="conflicting: token right, Basic wrong"),
    pytest.param(lambda: text_token(OWN_USER, OWN_PASSWORD), basic_header(), id="conflicting: two who may"),
]


class TestWrong:
    @pytest.fixture
    def source(self) -> str:
        """An address for each test, so that none is slowed down by the others."""
        return f"127.2.0.{next(_sources)}"

    @pytest.mark.parametrize(("security", "authorization"), WRONG)
    def test_it_is_a_fault_or_the_legacy_sentence_in_the_same_words(
        self, gateway: Gateway, sandbox: Sandbox, source: str, security: Callable[[], str], authorization: str
    ) -> None:
        headers = {"Authorization": authorization} if authorization else {}
        sandbox.requests.clear()
        fault = ask(gateway, get_scores(security()), headers, source=source)
        sentence = ask(gateway, by_report_date(security=security()), headers, source=source)
        assert not sandbox.requests
        expected = f"{errors.NOT_AUTHENTICATED.text} (not-authenticated; request)"
        assert (fault.status, words(fault)) == (500, expected)
        assert (sentence.status, words(sentence)) == (200, inband.sentence(expected))
        assert "www-authenticate" not in fault.headers
        line = logged(gateway, fault)
        assert (line["outcome"], line["address"], line["operation"]) == ("not-authenticated", source, "GetScores")

    @pytest.mark.parametrize(
        ("user", "password"),
        [(USER, "x"), ("x", SECRET), (None, SECRET), (LONG, SECRET), ("ü", "ß")],
        ids=["password", "user", "password alone", "oversized", "not ASCII"],
    )
    def test_in_the_body(self, gateway: Gateway, source: str, user: str | None, password: str | None) -> None:
        answer = ask(gateway, by_report_date(user, password), source=source)
        expected = inband.sentence(f"{errors.NOT_AUTHENTICATED.text} (not-authenticated; request)")
        assert (answer.status, words(answer)) == (200, expected)

    @pytest.mark.parametrize(("user", "password"), [("", ""), (USER, ""), (USER, None)])
    def test_a_user_name_alone_is_not_presented(
        self, gateway: Gateway, source: str, user: str, password: str | None
    ) -> None:
        answer = ask(gateway, by_report_date(user, password), source=source)
        assert (answer.status, words(answer)) == (
            200,
            inband.sentence(f"{errors.NO_CREDENTIALS.text} (no-credentials; request)"),
        )
        answer = ask(gateway, by_report_date(user, password), {"Authorization": basic_header()}, source=source)
        assert answer.result is not None
        assert len(answer.result) > 1000

    @pytest.mark.parametrize("authorization", ["", "Bearer abc"])
    def test_none_is_asked_for(self, gateway: Gateway, source: str, authorization: str) -> None:
        answer = ask(gateway, get_scores(), {"Authorization": authorization} if authorization else {}, source=source)
        assert (answer.status, answer.slug) == (401, "no-credentials")
        assert answer.headers["www-authenticate"] == 'Basic realm="scores", charset="UTF-8"'
        in_band = ask(gateway, by_report_date(), source=source)
        assert in_band.status == 200
        assert words(in_band).startswith("Logon failure")


def test_a_digest_counts_once_whichever_worker_is_asked(gateway: Gateway) -> None:
    _, one, other = processes(gateway)
    body = get_scores(digest_token())
    assert ask_one(gateway, body, asleep=other).status == 200
    for asleep in (one, other):
        assert ask_one(gateway, body, asleep=asleep).slug == "not-authenticated"


def test_who_guesses_is_refused_and_nobody_else(gateway: Gateway) -> None:
    here, elsewhere = "127.0.1.3", "127.0.1.4"
    _, *workers = processes(gateway)
    for worker in workers:  # both know the right one, each by itself
        assert ask_one(gateway, get_scores(text_token()), asleep=worker, source=here).status == 200
    with ThreadPoolExecutor(16) as threads:
        guesses = [threads.submit(ask, gateway, get_scores(text_token(password="x")), source=here) for _ in range(160)]
        slugs = [guess.result().slug for guess in guesses]
    assert set(slugs) == {"not-authenticated", "throttled"}
    assert slugs.count("not-authenticated") <= 2 * REFUSE_AFTER + 32
    for worker in workers:
        assert ask_one(gateway, get_scores(text_token(OWN_USER, "x")), asleep=worker, source=here).slug == "throttled"
        assert ask_one(gateway, get_scores(text_token()), asleep=worker, source=here).status == 200
        assert ask_one(gateway, get_scores(text_token()), asleep=worker, source=elsewhere).status == 200


def ask_one(gateway: Gateway, body: str, *, asleep: int, source: str = "127.0.1.2") -> Answer:
    """Ask while a worker cannot answer, so that the other does."""
    os.kill(asleep, signal.SIGSTOP)
    try:
        return ask(gateway, body, source=source)
    finally:
        os.kill(asleep, signal.SIGCONT)


class TestPassThrough:
    @pytest.mark.parametrize(
        ("body", "authorization"),
        [
            (lambda: by_report_date(USER, SECRET), ""),
            (get_scores, basic_header()),
            (lambda: get_scores(text_token()), ""),
        ],
        ids=["body", "Basic", "token"],
    )
    def test_the_key_is_the_callers(self, passing: Gateway, body: Callable[[], str], authorization: str) -> None:
        answer = ask(passing, body(), {"Authorization": authorization} if authorization else {})
        assert (answer.status, logged(passing, answer)["caller"]) == (200, "whoever")

    @pytest.mark.parametrize("security", [text_token(password="x"), text_token("a:b"), digest_token()])
    def test_what_the_upstream_refuses_is_the_callers_fault(self, passing: Gateway, security: str) -> None:
        expected = f"{errors.NOT_AUTHENTICATED.text} (not-authenticated; request)"
        fault = ask(passing, get_scores(security), source="127.0.1.5")
        assert (fault.status, words(fault)) == (500, expected)
        sentence = ask(passing, by_report_date(security=security), source="127.0.1.6")
        assert (sentence.status, words(sentence)) == (200, inband.sentence(expected))

    def test_none(self, passing: Gateway) -> None:
        assert ask(passing, get_scores()).status == 401


class TestProxies:
    @pytest.mark.parametrize(
        ("peer", "headers", "caller"),
        [
            pytest.param("127.0.3.1", {"X-Forwarded-For": "192.0.2.7"}, "campus", id="IPv4"),
            pytest.param("127.0.3.1", {"X-Forwarded-For": "2001:db8::7"}, "campus", id="IPv6"),
            pytest.param("127.0.3.1", {"X-Forwarded-For": "::ffff:192.0.2.7"}, "campus", id="IPv4 within IPv6"),
            pytest.param("127.0.3.1", {"X-Forwarded-For": "192.0.2.7, 127.0.3.2"}, "campus", id="two proxies"),
            pytest.param("127.0.3.1", {"X-Forwarded-For": "192.0.2.7, 198.51.100.1"}, "", id="forged by the client"),
            pytest.param("127.0.3.1", {"X-Forwarded-For": "198.51.100.1"}, "", id="from elsewhere"),
            pytest.param("127.0.3.1", {}, "", id="a proxy that says nothing"),
            pytest.param("127.0.3.1", {"X-Forwarded-For": "garbage"}, "", id="no address"),
            pytest.param("127.0.4.1", {"X-Forwarded-For": "192.0.2.7"}, "", id="not a trusted proxy"),
            pytest.param("127.0.3.1", {"X-Client-Certificate-Subject": SUBJECT}, "registrar", id="certificate"),
            pytest.param("127.0.3.1", {"X-Client-Certificate-Subject": "CN=x"}, "", id="another certificate"),
            pytest.param("127.0.4.1", {"X-Client-Certificate-Subject": SUBJECT}, "", id="certificate: not trusted"),
            pytest.param("127.0.3.1", {"X_Client_Certificate_Subject": SUBJECT}, "", id="certificate: underscores"),
        ],
    )
    def test_headers_count_from_them_alone(
        self, behind: Gateway, peer: str, headers: dict[str, str], caller: str
    ) -> None:
        answer = ask(behind, get_scores(), headers, source=peer)
        assert answer.status == (200 if caller else 401)
        assert logged(behind, answer).get("caller", "") == caller


class TestLoopback:
    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({}, 200),
            ({"Authorization": basic_header()}, 200),
            ({"Authorization": basic_header(password="x")}, 500),
            ({"X-Forwarded-For": "192.0.2.1"}, 401),
            ({"Forwarded": "for=192.0.2.1"}, 401),
            ({"X-Forwarded-For": "127.0.0.1"}, 401),
            ({"X-Forwarded-For": "192.0.2.1", "Authorization": basic_header()}, 200),
        ],
        ids=["nothing", "right", "wrong", "a proxy", "a proxy's new header", "forged", "a proxy, and right"],
    )
    def test_whoever_is_on_this_machine(self, default: Gateway, headers: dict[str, str], status: int) -> None:
        assert ask(default, get_scores(), headers).status == status
