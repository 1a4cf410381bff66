"""The status page: its text, and the page in a real browser."""

import json
import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from lxml import html
from selenium.webdriver.common.keys import Keys

from shim.config import BrownoutSettings, RetirementSettings
from shim.ledger.summary import Summary
from shim.retirement import successor, verdict
from shim.web.health import AuthcodeHealth, Health
from shim.web.status_page import PageResponse, StatusPage
from tests.ledger.summaries import MADE, caller, summary
from tests.web.browser import Browser, browser

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

UPSTREAM: Final = "https://toeflaccess-api.ets.org/scores"
SUNSET: Final = datetime(2027, 6, 30, tzinfo=UTC)
RETIREMENT: Final = RetirementSettings(
    deprecated=datetime(2026, 12, 1, tzinfo=UTC),
    sunset=SUNSET,
    info_url="https://it.example.edu/toefl",
    brownouts=(
        BrownoutSettings(start=MADE - timedelta(days=3), end=MADE - timedelta(days=3, hours=-3)),
        BrownoutSettings(
            start=MADE - timedelta(hours=1), end=MADE + timedelta(hours=1), exempt=frozenset({"law-school"})
        ),
        BrownoutSettings(start=MADE + timedelta(days=9), end=MADE + timedelta(days=9, hours=2), dry_run=True),
    ),
)
WELL: Final = Health((AuthcodeHealth("main", 34 * 86400, "accepted"),), is_answering=True)
HOSTILE: Final = "<img src=x onerror=\"document.title='hit'\">&'</script>"

MANY: Final = summary(
    caller("registrar-import", [30] * 80, outcomes={"ok": 880, "brownout": 12}),
    caller("law-school", [2] * 60 + [0] * 10 + [1, 2], migrated=MADE - timedelta(days=10), calls_since_migrated=3),
    caller("0f3a9c5d7e21b846", [1, *[0] * 9], is_named=False, software=()),
    caller(
        "admissions", [5] * 40 + [0] * 12, migrated=MADE - timedelta(days=12), operations=("GetScores", "getEDIData")
    ),
    caller("old-portal", [1] * 30 + [0] * 45),
    caller(HOSTILE, [3] * 20, software=(HOSTILE,), operations=(HOSTILE,)),
)
GONE: Final = caller("gone", [1] * 20 + [0] * 40)
MARKED: Final = caller("marked", [1] * 20 + [0] * 3, migrated=MADE - timedelta(days=2))
RETURNED: Final = caller("returned", [1] * 20, migrated=MADE - timedelta(days=2), calls_since_migrated=2)


def _page(known: Summary | None = MANY, **other: Any) -> StatusPage:  # noqa: ANN401 - any attribute
    attributes: dict[str, Any] = {
        "retirement": RETIREMENT,
        "upstream": UPSTREAM,
        "hosts": frozenset(),
        "clock": lambda: MADE,
    }
    return StatusPage(read_summary=lambda: known, **attributes | other)


def _get(path: str = "/", query: str = "", host: str = "127.0.0.1:8079", **other: Any) -> PageResponse:  # noqa: ANN401 - same
    response = _page(**other).respond(path, query, host, WELL)
    assert response is not None
    return response


def _parsed(response: PageResponse) -> Any:  # noqa: ANN401 - lxml.html has no types
    return html.fromstring(response.body)


def _text(response: PageResponse) -> str:
    return " ".join(_parsed(response).find("body").text_content().split())


@pytest.mark.parametrize("known", [None, summary(GONE, MARKED), summary(caller(), RETURNED)], ids=["none", "yes", "no"])
def test_it_shows_the_verdict(known: Summary | None) -> None:
    decided = verdict.decide(known, RETIREMENT, MADE)
    shown = _parsed(_get(known=known)).xpath("//section[starts-with(@class, 'verdict')]")[0]
    assert shown.get("class") == f"verdict {decided.answer}"
    assert " ".join(shown.text_content().split()) == " ".join((decided.headline, *decided.reasons))


def test_it_shows_the_days_until_the_sunset() -> None:
    late = RetirementSettings(sunset=MADE - timedelta(days=1), info_url="https://it.example.edu/")
    assert "has passed" in _text(_get(retirement=late))
    assert "1 day left" in _text(_get(retirement=late.model_copy(update={"sunset": MADE + timedelta(hours=3)})))
    assert "not set" in _text(_get(retirement=RetirementSettings()))


def test_the_chart_has_the_burndown_and_the_sunset() -> None:
    data = json.loads(_parsed(_get()).xpath("//script[@id='data']")[0].text)
    assert (data["days"][-1], data["sunset"]) == (int(MADE.timestamp()) - 12 * 3600, int(SUNSET.timestamp()))
    assert (data["remaining"][-1], data["active"][-1]) == (3, 3)
    assert len(data["days"]) == len(data["remaining"]) == len(data["active"]) == 80
    assert "3 callers still need the gateway today" in _text(_get())


def test_it_lists_the_callers() -> None:
    rows = _parsed(_get()).xpath("//table[@class='callers']/tbody/tr")
    shown = {row.find("th").text_content().split()[0]: " ".join(row.text_content().split()) for row in rows}
    assert "210 900 → steady GetScores WCF Yes" in shown["registrar-import"]
    assert "Still calls marked as migrated on 14 November 2026, 3 calls since" in shown["law-school"]
    assert "No, since 12 November 2026 marked as migrated" in shown["admissions"]
    assert "No, since 10 October 2026 no call for 30 days" in shown["old-portal"]
    unnamed = shown["0f3a9c5d7e21b846not"]
    assert "not named in the configuration" in unnamed
    assert unnamed.endswith("No, it has no access Replacement requests for 0f3a9c5d7e21b846")
    assert [row.get("class") for row in rows] == ["", "returned", "gone", "gone", "", ""]
    assert "Callers left 3 of 5 234 calls in 7 days" in _text(_get())


def test_it_lists_no_more_than_200_callers() -> None:
    crowd = summary(*(caller(f"unknown-{number}", is_named=False) for number in range(999)), caller())
    answer = _get(known=crowd)
    assert "1 of 1 callers still needs it." in _text(answer)
    rows = _parsed(answer).xpath("//table[@class='callers']/tbody/tr")
    assert len(rows) == 200
    assert "registrar-import" in rows[0].text_content()  # named callers come first
    assert "Only 200 callers are shown" in _text(answer)
    assert "Only 200" not in _text(_get())


def test_it_shows_authcodes_upstream_and_brownouts() -> None:
    ill = Health(
        (AuthcodeHealth("main", None, "not used yet"), AuthcodeHealth("law", 86400, "refused")), is_answering=False
    )
    answer = _page().respond("/", "", "localhost", ill)
    assert answer is not None
    text = _text(answer)
    for expected in (
        "does not answer",
        "Authcode “main” not used yet from the environment, age unknown",
        "Authcode “law” refused generate a new API key in TOEFL Access",
        "over 21 November 2026, 12:00 to 15:00 UTC, for all callers",
        "now 24 November 2026, 11:00 to 13:00 UTC, for all callers except law-school",
        "planned 3 December 2026, 12:00 to 14:00 UTC, for all callers; dry run: calls are answered",
        "brownouts hit registrar-import (12 calls).",
    ):
        assert expected in text
    assert "34 days old" in _text(_get())
    assert "brownouts hit no caller" in _text(_get(known=summary(GONE)))
    assert "Brownouts" not in _text(_get(retirement=RetirementSettings()))


def test_values_from_callers_are_escaped() -> None:
    for answer in (
        _get(),
        _get("/successor", "caller=%3Cimg+src%3Dx+onerror%3D%22document.title%3D%27hit%27%22%3E%26%27%3C/script%3E"),
    ):
        assert answer.status == HTTPStatus.OK
        assert b"<img" not in answer.body
        assert HOSTILE in _parsed(answer).text_content()


def test_the_replacements_of_a_caller() -> None:
    known = summary(caller("one", last_queries=()), caller("two"))
    (query,) = known.callers[1].last_queries
    shown = _parsed(_get("/successor", "caller=two", known=known))
    blocks = [block.text_content() for block in shown.iter("pre")]
    programs = [successor.program(language, UPSTREAM, query).strip() for language in successor.LANGUAGES]
    assert [block.strip() for block in blocks] == [successor.url(UPSTREAM, query), *programs]
    assert "its requests are not known" in _text(_get("/successor", "caller=one", known=known))
    for query_string, known_callers in (("caller=three", known), ("", known), ("caller=two", None)):
        assert _get("/successor", query_string, known=known_callers).status == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8079", "localhost:8079", "[::1]:8079", "[fe80::1]", "10.1.2.3", "Gw.example.edu:1"]
)
def test_it_answers_to_addresses_and_its_own_names(host: str) -> None:
    assert _get(host=host, hosts=frozenset({"gw.example.edu"})).status == HTTPStatus.OK


@pytest.mark.parametrize(
    "host",
    [
        "attacker.example:8079",
        "",
        "gw.example.edu.attacker.example",
        "localhost.attacker.example",
        "127.0.0.1.nip.example",
        "[",
        ":8079",
    ],
)
@pytest.mark.parametrize("path", ["/", "/successor"])
def test_it_refuses_the_host_names_of_other_sites(host: str, path: str) -> None:
    answer = _get(path, "caller=registrar-import", host, hosts=frozenset({"gw.example.edu"}))
    assert answer.status == HTTPStatus.MISDIRECTED_REQUEST
    assert b"registrar" not in answer.body


def test_its_headers_forbid_caching_and_foreign_content() -> None:
    headers = dict(_get().headers)
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    shown = _parsed(_get())
    assert not shown.xpath("//@style | //style | //@*[starts-with(name(), 'on')]")
    assert [script.get("src") for script in shown.iter("script") if script.get("type") != "application/json"]
    for address in shown.xpath("//script/@src | //link/@href"):
        name, _, digest = address.partition("?")
        file = _get(f"/{name}", digest, "attacker.example")
        assert "immutable" in dict(file.headers)["Cache-Control"]
        assert dict(file.headers)["X-Content-Type-Options"] == "nosniff"
        assert len(digest) == 12


@pytest.mark.parametrize(
    "path", ["/static/", "/static/../status_page.py", "/static/uplot.LICENSE", "/status.html", "//", "/static"]
)
def test_other_paths_have_no_page(path: str) -> None:
    assert _page().respond(path, "", "127.0.0.1", WELL) is None


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the base class gives it
        """Say nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    served = _page(MANY)

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        answer = served.respond(environ["PATH_INFO"], environ["QUERY_STRING"], environ["HTTP_HOST"], WELL)
        assert answer is not None
        start_response(f"{answer.status.value} {answer.status.phrase}", answer.headers)
        return [answer.body]

    with make_server("127.0.0.1", 0, application, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def running_browser() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture
def window(running_browser: Browser) -> Browser:
    running_browser.show()
    return running_browser


_PATHS: Final = ("", "successor?caller=registrar-import", "successor?caller=nobody")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("path", _PATHS, ids=["status", "programs", "unknown"])
def test_it_is_accessible(path: str, width: int, dark: bool, url: str, window: Browser) -> None:
    window.show(width=width, height=844, dark=dark)
    window.open(url + path)
    for details in window.driver.find_elements("css selector", "details:not([open]) > summary"):
        details.click()
    assert window.barriers() == []
    assert window.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert [line for line in window.console() if "404" not in line] == []
    assert all(asked.startswith(url) for asked in window.requests())
    ground = window.run("return getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(20, 19, 18)") == dark


_COLOURS: Final = """
    const canvas = document.querySelector("#chart canvas"), found = {};
    const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    for (let at = 0; at < data.length; at += 4) if (data[at + 3] === 255) {
        const colour = `${data[at]},${data[at + 1]},${data[at + 2]}`;
        found[colour] = (found[colour] || 0) + 1;
    }
    return found;
"""


@pytest.mark.parametrize(("dark", "line"), [(False, "29,78,216"), (True, "147,180,255")])
def test_the_chart_follows_the_colour_scheme(dark: bool, line: str, url: str, window: Browser) -> None:
    window.show(dark=not dark)
    window.open(url)
    assert window.run(_COLOURS).get(line, 0) == 0
    window.show(dark=dark)  # the scheme changes while the page is open
    window.settle()
    assert window.run(_COLOURS)[line] > 200
    width = window.run("return document.querySelector('#chart canvas').width")
    window.show(width=390, dark=dark)
    window.settle()
    assert window.run("return document.querySelector('#chart canvas').width") < width
    assert window.run(_COLOURS)[line] > 100


def test_without_scripts_a_table_replaces_the_chart(url: str, window: Browser) -> None:
    window.show(scripts=False)
    window.open(url)
    text = window.text
    assert "Still need the gateway" in text
    assert "24 November 2026" in text
    assert "called that day" not in text  # the legend of the chart
    assert "Still calls" in text
    window.open(f"{url}successor?caller=registrar-import")
    assert not any(button.is_displayed() for button in window.driver.find_elements("css selector", "button"))


def test_every_control_can_be_reached_by_keyboard(url: str, window: Browser) -> None:
    window.open(f"{url}successor?caller=registrar-import")
    reached = []
    for _ in range(20):
        window.driver.switch_to.active_element.send_keys(Keys.TAB)
        focused = window.driver.switch_to.active_element
        if focused.tag_name == "body":
            break
        reached.append(focused.tag_name)
        assert window.run("return getComputedStyle(document.activeElement).outlineWidth") == "3px"
    assert reached == ["a", "button", "pre", "summary", "button", "pre", "summary", "summary", "summary"]


@pytest.mark.parametrize("has_clipboard", [True, False])
def test_a_program_is_copied_with_the_enter_key(has_clipboard: bool, url: str, window: Browser) -> None:
    window.driver.execute_cdp_cmd(
        "Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    )
    window.open(f"{url}successor?caller=registrar-import")
    window.run("window.clipboard = navigator.clipboard")
    if not has_clipboard:  # as with plain http from another machine
        window.run("Object.defineProperty(navigator, 'clipboard', {value: undefined, configurable: true})")
    window.run("return clipboard.writeText('something else')")
    button = window.driver.find_element("css selector", "button[data-copies='csharp-1']")
    button.send_keys(Keys.ENTER)
    window.run("return new Promise((done) => setTimeout(done, 50))")
    assert button.text.startswith("Copied")
    assert window.run("return document.getElementById('told').textContent") == "Copied"
    copied = window.run("return clipboard.readText()")
    assert copied.strip() == successor.program("csharp", UPSTREAM, MANY.callers[0].last_queries[0]).strip()


def test_the_browser_reports_barriers_and_forbidden_content(url: str, window: Browser) -> None:
    window.open(url)
    window.run(
        "document.querySelector('h1').style.color = '#ccc'; document.body.insertAdjacentHTML('beforeend', '<img>')"
    )
    assert {barrier.partition(":")[0] for barrier in window.barriers()} >= {"color-contrast", "image-alt"}
    window.run("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">')")
    window.run("document.body.insertAdjacentHTML('beforeend', '<img src=\"http://127.0.0.1:9/\">')")
    complaints = "".join(window.console())
    assert "style-src 'self'" in complaints
    assert "img-src 'self'" in complaints
