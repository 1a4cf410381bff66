"""What callers are told of the retirement: headers as independent parsers read them, brownouts, and the sunset."""

import math
from base64 import b64decode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

import http_sf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from requests.utils import parse_header_links
from structlog.testing import capture_logs

from shim import app, errors, log
from shim.config import (
    AuthcodeSettings,
    BrownoutSettings,
    CallerSettings,
    Config,
    GatewaySettings,
    RetirementSettings,
    UpstreamSettings,
    reasons,
)
from shim.retirement.policy import ActiveBrownout, RetirementPolicy, outlook
from shim.sandbox import Sandbox
from shim.upstream.authcode import Authcode
from shim.web.application import Application
from shim.wire import inband
from shim.wire.dialect import Version
from tests.planted import PASSWORD
from tests.web import calls

PATH: Final = "/TOEFLWebService/TOEFLEdm.asmx"
WSDL_PATH: Final = "/TOEFLWebService/TOEFLEdm.wsdl"
ADMIN_PORT: Final = "8079"
INFO: Final = "https://it.example.edu/toefl-migration?for=callers,all#when"
SUCCESSOR: Final = "https://toeflaccess-api.ets.org/scores"
DEPRECATED: Final = datetime(2026, 12, 1, tzinfo=UTC)
SUNSET: Final = datetime(2027, 6, 30, tzinfo=UTC)
START: Final = datetime(2027, 5, 3, 14, tzinfo=UTC)
END: Final = datetime(2027, 5, 3, 17, tzinfo=UTC)
SECOND: Final = timedelta(seconds=1)

AUTHCODE: Final = Authcode.of("registrar", PASSWORD).value
REGISTRAR: Final = "192.0.2.7"
LIBRARY: Final = "198.51.100.7"


def by_report_date(password: str = PASSWORD) -> str:
    values = {"userName": "registrar", "password": escape(password)}
    values |= {"reportstartdate": "04/21/2025", "reportenddate": "04/22/2025"}
    name = "getScorelinkDataByReportDate"
    return f'<{name} xmlns="{calls.NAMESPACE}">{calls.elements(values)}</{name}>'


@dataclass
class Clock:
    moment: datetime

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.authcodes.add(AUTHCODE)
        yield running


@dataclass
class Served:
    """A gateway with a clock that stands still."""

    application: Application
    clock: Clock

    def call(self, body: str | None = None, address: str = REGISTRAR, **changes: object) -> calls.Reply:
        version = changes.pop("version", Version.SOAP_11)
        assert isinstance(version, Version)
        sent = calls.envelope(body, version=version).encode()
        declared = {"PATH_INFO": PATH, "REMOTE_ADDR": address, "CONTENT_TYPE": version.media_type}
        return calls.send(self.application, calls.request(sent, "POST", **(declared | changes)))

    def read(self, method: str, path: str, query: str = "", **changes: object) -> calls.Reply:
        environ = calls.request(b"", method, PATH_INFO=path, QUERY_STRING=query, **changes)
        return calls.send(self.application, environ)


@pytest.fixture
def served(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Served:
    return serve(sandbox, monkeypatch, tmp_path, BrownoutSettings(start=START, end=END))


def serve(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, folder: Path, *brownouts: BrownoutSettings) -> Served:
    monkeypatch.setenv("AUTHCODE", AUTHCODE)
    config = Config(
        upstream=UpstreamSettings(url=sandbox.url),
        gateway=GatewaySettings(admin_bind=f"127.0.0.1:{ADMIN_PORT}"),
        authcodes=(AuthcodeSettings(name="main", env="AUTHCODE"),),
        callers=(
            CallerSettings(name="registrar", networks=(ip_network("192.0.2.0/24"),)),
            CallerSettings(name="library", networks=(ip_network("198.51.100.0/24"),)),
        ),
        retirement=RetirementSettings(deprecated=DEPRECATED, sunset=SUNSET, info_url=INFO, brownouts=brownouts),
    )
    clock = Clock(DEPRECATED)
    return Served(app.build(config, folder, clock=clock), clock)


def signals(headers: dict[str, str]) -> tuple[datetime, datetime, dict[str, str]]:
    """Return Deprecation, Sunset and Link, each as an independent parser reads it."""
    item: Any = http_sf.parse(headers["Deprecation"].encode(), tltype="item")
    deprecation, parameters = item
    assert (type(deprecation), parameters) == (datetime, {})
    links = {link["rel"]: link["url"] for link in parse_header_links(headers["Link"])}
    assert headers["Sunset"].endswith(" GMT")
    return deprecation, parsedate_to_datetime(headers["Sunset"]), links


TOLD: Final = (DEPRECATED, SUNSET)


class TestSignals:
    def test_they_are_on_every_answer(self, served: Served, sandbox: Sandbox) -> None:
        answers = [
            served.call(),
            served.call(by_report_date(), version=Version.SOAP_12),
            served.call("<Other/>"),
            served.call(address="203.0.113.1"),
            served.read("GET", PATH),
            served.read("GET", PATH, "wsdl"),
            served.read("HEAD", WSDL_PATH),
            served.read("GET", "/other"),
        ]
        assert [answer.code for answer in answers] == [200, 200, 500, 401, 200, 200, 200, 404]
        for answer in answers:
            *told, links = signals(answer.headers)
            assert tuple(told) == TOLD
            assert links == {"deprecation": INFO, "sunset": INFO, "successor-version": sandbox.url}

    def test_the_admin_address_sends_none(self, served: Served) -> None:
        answer = served.read("GET", "/livez", SERVER_PORT=ADMIN_PORT)
        assert answer.code == 200
        assert not answer.headers.keys() & {"Deprecation", "Sunset", "Link"}

    @pytest.mark.parametrize(
        ("retirement", "names"),
        [
            (RetirementSettings(), []),
            (RetirementSettings(info_url=INFO), []),
            (RetirementSettings(info_url=INFO, brownouts=(BrownoutSettings(start=START, end=END),)), []),
            (RetirementSettings(info_url=INFO, deprecated=DEPRECATED), ["Deprecation", "Link"]),
            (RetirementSettings(info_url=INFO, sunset=SUNSET), ["Sunset", "Link"]),
        ],
    )
    def test_each_header_needs_its_date(self, retirement: RetirementSettings, names: list[str]) -> None:
        assert [name for name, _ in RetirementPolicy(retirement, SUCCESSOR).signals] == names

    @given(st.datetimes(datetime(2000, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants them so
    def test_parsers_read_the_configured_second(self, moment: datetime) -> None:
        retirement = RetirementSettings(deprecated=moment, sunset=moment, info_url=INFO)
        told = dict(RetirementPolicy(retirement, SUCCESSOR).signals)
        assert signals(told)[:2] == (moment.replace(microsecond=0),) * 2


class TestBrownout:
    @pytest.mark.parametrize("version", list(Version))
    def test_a_call_is_answered_with_a_fault(self, served: Served, sandbox: Sandbox, version: Version) -> None:
        asked = len(sandbox.requests)
        served.clock.moment = END - timedelta(minutes=1, milliseconds=500)
        with capture_logs() as lines:
            reply = served.call(version=version)
        assert (reply.code, reply.slug) == (500, "brownout")
        assert "call again after 2027-05-03 17:00:00 UTC" in reply.fault
        assert INFO in reply.fault
        assert reply.headers["Retry-After"] == "61"
        assert len(sandbox.requests) == asked
        (line,) = lines
        assert (line["outcome"], line["caller"], line["operation"]) == ("brownout", "registrar", "GetScores")
        assert "upstream" not in line

    def test_an_operation_with_in_band_errors_answers_with_a_sentence(self, served: Served, sandbox: Sandbox) -> None:
        asked = len(sandbox.requests)
        served.clock.moment = START
        reply = served.call(by_report_date())
        sentence = b64decode(reply.content[0].text or "").decode()
        assert reply.code == 200
        assert sentence.startswith(f"Logon failure: {errors.BROWNOUT.text.partition('{')[0]}")
        assert f"call again after 2027-05-03 17:00:00 UTC, and read {INFO} before the service ends." in sentence
        assert len(sandbox.requests) == asked

    def test_it_begins_and_ends_by_itself(self, served: Served) -> None:
        codes = []
        for moment in (START - SECOND, START, END - SECOND, END):
            served.clock.moment = moment
            codes.append(served.call().code)
        assert codes == [200, 500, 500, 200]

    def test_a_caller_without_access_learns_nothing_of_it(self, served: Served) -> None:
        served.clock.moment = START
        assert served.call(address="203.0.113.1").slug == "no-credentials"

    def test_it_hits_only_its_callers(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        served = serve(
            sandbox,
            monkeypatch,
            tmp_path,
            BrownoutSettings(start=START, end=END, callers=frozenset({"library"})),
            BrownoutSettings(start=END, end=END + SECOND, exempt=frozenset({"library"})),
        )
        codes = []
        for moment in (START, END):
            served.clock.moment = moment
            codes.append((served.call().code, served.call(address=LIBRARY).code))
        assert codes == [(200, 500), (500, 200)]

    def test_a_dry_run_answers_and_is_logged_and_counted(
        self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        dry = BrownoutSettings(start=START, end=END, exempt=frozenset({"library"}), dry_run=True)
        served = serve(sandbox, monkeypatch, tmp_path, dry)
        served.clock.moment = START
        with capture_logs() as lines:
            replies = [served.call(), served.call(address=LIBRARY)]
        assert [reply.code for reply in replies] == [200, 200]
        assert lines[0].keys() - {"log_level"} <= log.FIELDS
        assert [(line["outcome"], line.get("dry_run")) for line in lines] == [("ok", "brownout"), ("ok", None)]
        counted = served.read("GET", "/metrics", SERVER_PORT=ADMIN_PORT).body.decode()
        assert 'toefl_shim_dry_run_hits_total{caller="registrar"} 1.0' in counted
        assert 'dry_run_hits_total{caller="library"}' not in counted

    def test_a_dry_run_does_not_protect_from_a_real_brownout(self) -> None:
        both = (BrownoutSettings(start=START, end=END, dry_run=True), BrownoutSettings(start=START, end=END))
        policy = RetirementPolicy(RetirementSettings(info_url=INFO, brownouts=both), SUCCESSOR, lambda: START)
        assert policy.brownout("registrar") == ActiveBrownout(END, 3 * 3600, INFO, dry_run=False)


class TestSunset:
    @pytest.mark.parametrize("version", list(Version))
    @pytest.mark.parametrize("address", [REGISTRAR, "203.0.113.1"], ids=["known", "unknown"])
    def test_every_call_gets_a_fault_that_names_the_rest_api(
        self, served: Served, sandbox: Sandbox, version: Version, address: str
    ) -> None:
        asked = len(sandbox.requests)
        served.clock.moment = SUNSET
        reply = served.call(address=address, version=version)
        assert (reply.code, reply.slug) == (500, "sunset")
        assert f"call TOEFL Access by REST at {sandbox.url} instead, and read {INFO}." in reply.fault
        assert len(sandbox.requests) == asked
        assert signals(reply.headers)[1] == SUNSET

    def test_the_caller_is_still_logged(self, served: Served) -> None:
        served.clock.moment = SUNSET
        with capture_logs() as lines:
            served.call()
            served.call(address="203.0.113.1")
        assert [(line["outcome"], line.get("caller")) for line in lines] == [("sunset", "registrar"), ("sunset", None)]

    def test_a_wrong_password_does_not_hide_the_sunset(self, served: Served) -> None:
        served.clock.moment = SUNSET
        reply = served.call(by_report_date("expired"))
        sentence = b64decode(reply.content[0].text or "").decode()
        assert reply.code == 200
        assert sentence.startswith(f"Logon failure: {errors.SUNSET.text.partition('{')[0]}")
        assert "(sunset; request " in sentence

    @pytest.mark.parametrize(
        ("body", "changes"),
        [
            ("<Other/>", {}),
            ("", {}),
            (None, {"CONTENT_TYPE": "text/plain"}),
            (None, {"HTTP_SOAPACTION": "getEDIData"}),
            ("<Other", {}),
        ],
        ids=["operation", "no operation", "media type", "action", "not XML"],
    )
    def test_no_other_mistake_hides_the_sunset(self, served: Served, body: str | None, changes: dict[str, Any]) -> None:
        assert served.call(body, **changes).slug != "sunset"
        served.clock.moment = SUNSET
        reply = served.call(body, **changes)
        assert (reply.code, reply.slug) == (500, "sunset")

    @pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
    @pytest.mark.parametrize(("path", "query"), [(PATH, ""), (PATH, "wsdl"), (WSDL_PATH, "")])
    def test_the_pages_are_gone(self, served: Served, sandbox: Sandbox, method: str, path: str, query: str) -> None:
        served.clock.moment = SUNSET
        reply = served.read(method, path, query)
        assert (reply.status, reply.headers["Content-Type"]) == ("410 Gone", "text/plain; charset=utf-8")
        text = reply.body.decode()
        assert (INFO in text and sandbox.url in text) if method != "HEAD" else not text
        assert signals(reply.headers)[1] == SUNSET

    def test_a_running_gateway_ends_at_midnight(self, served: Served) -> None:
        before = SUNSET - timedelta(microseconds=1)
        seen = []
        for moment in (before, SUNSET):
            served.clock.moment = moment
            seen.append((served.call().code, served.read("GET", PATH).code, served.read("GET", "/other").code))
        assert seen == [(200, 200, 404), (500, 410, 404)]

    def test_the_admin_address_stays(self, served: Served) -> None:
        served.clock.moment = SUNSET
        assert served.read("GET", "/livez", SERVER_PORT=ADMIN_PORT).code == 200


def test_the_longest_in_band_sentence_is_shorter_than_a_record() -> None:
    # The shortest record has 774 bytes.
    page = "https://it.example.edu/".ljust(200, "a")
    policy = RetirementPolicy(
        RetirementSettings(sunset=SUNSET, info_url=page, brownouts=(BrownoutSettings(start=START, end=END),)),
        SUCCESSOR,
        lambda: START,
    )
    brownout = policy.brownout("registrar")
    assert brownout is not None
    ended = RetirementPolicy(RetirementSettings(sunset=SUNSET, info_url=page), SUCCESSOR, lambda: SUNSET).ended()
    assert ended is not None
    for error in (brownout.error(), ended):
        assert len(inband.sentence(error.fault_text("f" * 64))) < 774


NAMES: Final = frozenset({"a", "b", "c"})
_names = st.frozensets(st.sampled_from(sorted(NAMES)), max_size=2)


@st.composite
def _brownouts(draw: st.DrawFn) -> BrownoutSettings:
    """Draw a brownout of some hours within 40 hours."""
    start = draw(st.integers(0, 39))
    first, end = (START + timedelta(hours=hour) for hour in (start, draw(st.integers(start + 1, 40))))
    return BrownoutSettings(
        start=first, end=end, callers=draw(_names), exempt=draw(_names), dry_run=draw(st.booleans())
    )


def _retiring(windows: Iterable[BrownoutSettings]) -> RetirementSettings:
    return RetirementSettings(
        info_url=INFO, deprecated=START, sunset=START + timedelta(hours=40), brownouts=tuple(windows)
    )


def _mistakes(retirement: RetirementSettings) -> list[str]:
    """What a configuration with callers of these names is refused for."""
    try:
        Config(
            upstream=UpstreamSettings(url="https://example.edu/scores"),
            authcodes=(AuthcodeSettings(name="main", env="AUTHCODE"),),
            callers=tuple(CallerSettings(name=name, anybody=True) for name in sorted(NAMES)),
            retirement=retirement,
        )
    except ValidationError as error:
        return reasons(error)
    return []


def _accepted(windows: list[BrownoutSettings]) -> RetirementSettings:
    """Keep each window that the configuration accepts together with the kept ones before it."""
    kept = _retiring(())
    for window in windows:
        more = _retiring((*kept.brownouts, window))
        kept = kept if _mistakes(more) else more
    return kept


class TestArithmetic:
    @given(
        st.lists(_brownouts(), max_size=8).map(_accepted),
        st.integers(-3600, 41 * 3600),
        st.sampled_from(sorted(NAMES)),
    )
    def test_the_brownout_of_a_caller_at_any_second(
        self, retirement: RetirementSettings, second: int, caller: str
    ) -> None:
        clock = Clock(START + timedelta(seconds=second))
        policy = RetirementPolicy(retirement, SUCCESSOR, clock)
        meant = [
            one
            for one in retirement.brownouts
            if one.start.timestamp() <= clock.moment.timestamp() < one.end.timestamp()
            and caller in (one.callers or NAMES) - one.exempt
        ]
        brownout = policy.brownout(caller)
        if brownout is None:
            assert not meant
            return
        real = [one for one in meant if not one.dry_run]
        assert brownout.dry_run == (not real)
        if real:
            retry_after = brownout.error().retry_after
            assert [retry_after] == [(one.end - clock.moment).total_seconds() for one in real]
            # A caller that obeys Retry-After meets no other brownout.
            clock.moment += timedelta(seconds=math.ceil(retry_after))
            following = policy.brownout(caller)
            assert following is None or following.dry_run

    @given(_brownouts(), _brownouts())
    def test_two_windows_that_meet_for_a_caller_are_refused(
        self, one: BrownoutSettings, other: BrownoutSettings
    ) -> None:
        wrong = _mistakes(RetirementSettings(info_url=INFO, brownouts=(one, other)))
        hours = [
            {one.start + timedelta(hours=hour) for hour in range(int((one.end - one.start) / timedelta(hours=1)) + 1)}
            for one in (one, other)
        ]
        shared = ((one.callers or NAMES) - one.exempt) & ((other.callers or NAMES) - other.exempt)
        meet = bool(hours[0] & hours[1] and shared and not one.dry_run and not other.dry_run)
        assert any("overlaps" in reason for reason in wrong) == meet


@pytest.mark.parametrize(
    ("retirement", "moment", "told"),
    [
        (RetirementSettings(), START, ""),
        (RetirementSettings(info_url=INFO), START, ""),
        (
            RetirementSettings(deprecated=DEPRECATED, sunset=SUNSET, info_url=INFO),
            SUNSET - timedelta(days=3),
            "deprecated 2026-12-01, sunset 2027-06-30 (days left: 3)",
        ),
        (RetirementSettings(sunset=SUNSET, info_url=INFO), SUNSET - SECOND, "sunset 2027-06-30 (days left: 1)"),
        (
            RetirementSettings(sunset=SUNSET, info_url=INFO),
            SUNSET,
            "sunset 2027-06-30 (passed: every call gets a fault)",
        ),
        (
            RetirementSettings(
                info_url=INFO,
                brownouts=(
                    BrownoutSettings(start=END + timedelta(days=1), end=END + timedelta(days=2)),
                    BrownoutSettings(start=START, end=END, callers=frozenset("ba"), dry_run=True),
                ),
            ),
            START,
            "next brownout (dry run) 2027-05-03 14:00 to 2027-05-03 17:00 UTC for a, b",
        ),
        (
            RetirementSettings(
                info_url=INFO,
                brownouts=(
                    BrownoutSettings(start=START - timedelta(days=1), end=START),
                    BrownoutSettings(start=START, end=END, exempt=frozenset("c")),
                ),
            ),
            START,
            "next brownout 2027-05-03 14:00 to 2027-05-03 17:00 UTC for all callers except c",
        ),
    ],
)
def test_the_outlook_names_the_dates_and_the_next_brownout(
    retirement: RetirementSettings, moment: datetime, told: str
) -> None:
    assert outlook(retirement, moment) == told
