"""The status page: what it says, and how it is in a real browser."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from lxml import html
from selenium.webdriver.common.keys import Keys

from shim.config import BrownoutSettings, RetirementSettings
from shim.ledger.summary import Summary
from shim.retirement import successor
from shim.web.page import Answer, Health, Key, StatusPage, burndown, verdict
from tests.ledger.summaries import MADE, caller, summary
from tests.web.browser import Browser, browser

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

UPSTREAM: Final = "https://toeflaccess-api.ets.org/scores"
RETIREMENT: Final = RetirementSettings(
    deprecated=datetime(2026, 12, 1, tzinfo=UTC),
    sunset=datetime(2027, 6, 30, tzinfo=UTC),
    info_url="https://it.example.edu/toefl",
    brownouts=(
        BrownoutSettings(start=MADE - timedelta(days=3), end=MADE - timedelta(days=3, hours=-3)),
        BrownoutSettings(
            start=MADE - timedelta(hours=1), end=MADE + timedelta(hours=1), exempt=frozenset({"law-school"})
        ),
        BrownoutSettings(start=MADE + timedelta(days=9), end=MADE + timedelta(days=9, hours=2), dry_run=True),
    ),
)
WELL: Final = Health((Key("main", 34 * 86400, "accepted"),), is_answering=True)
AGES_AGO: Final = MADE - timedelta(days=60)
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
    return StatusPage(read=lambda: known, **attributes | other)


def _get(path: str = "/", query: str = "", host: str = "127.0.0.1:8079", **other: Any) -> Answer:  # noqa: ANN401 - same
    answer = _page(**other).answer(path, query, host, WELL)
    assert answer is not None
    return answer


def _parsed(answer: Answer) -> Any:  # noqa: ANN401 - lxml.html has no types
    return html.fromstring(answer.body)


def _text(answer: Answer) -> str:
    return " ".join(_parsed(answer).find("body").text_content().split())


@pytest.mark.parametrize(
    ("known", "answer", "reason"),
    [
        (None, "unknown", "no figures"),
        (summary(), "unknown", "No call of a caller with a name"),
        (replace(summary(GONE), made=MADE - timedelta(minutes=11)), "unknown", "11:49 UTC on 24 November 2026"),
        (summary(GONE, MARKED), "yes", "Calls are counted since 26 September 2026"),
        (summary(caller(), GONE), "no", "1 of 2 callers still needs it"),
        (summary(caller(), RETURNED), "no", "Marked as migrated, but still calling: returned"),
    ],
)
def test_it_says_whether_the_gateway_may_be_switched_off(known: Summary | None, answer: str, reason: str) -> None:
    told = verdict(known, RETIREMENT, MADE)
    assert told.answer == answer
    assert reason in " ".join(told.reasons)
    text = _text(_get(known=known))
    assert told.headline in text
    assert reason in text
    # A yes is never said beside a no.
    assert (answer == "yes") == ("may be switched off today." in text and "whether" not in text)


def test_after_the_sunset_it_says_so() -> None:
    late = RetirementSettings(sunset=MADE - timedelta(days=1), info_url="https://it.example.edu/")
    assert "The sunset has passed" in " ".join(verdict(summary(caller()), late, MADE).reasons)
    assert "has passed" in _text(_get(retirement=late))
    assert "1 day left" in _text(_get(retirement=late.model_copy(update={"sunset": MADE + timedelta(hours=3)})))
    assert "not set" in _text(_get(retirement=RetirementSettings()))


def test_the_last_day_of_the_chart_is_the_verdict() -> None:
    for callers in ([], [caller()], [GONE], [MARKED, RETURNED], [GONE, caller(), MARKED]):
        known = summary(*callers)
        days = burndown(known)
        assert days[-1].day == MADE.date()
        assert days[-1].left == len(known.in_use_by)
        assert days[-1].called == sum(bool(each.daily[-1]) for each in callers)
    gone = burndown(summary(GONE, caller(last_days=[1, *[0] * 9])))
    assert [gone[at].left for at in (0, 19, 20, 49, 50, 59)] == [1, 1, 0, 0, 1, 1]
    assert len(gone) == 60  # what was before the first call is not known


def test_who_calls() -> None:
    rows = _parsed(_get()).xpath("//table[@class='callers']/tbody/tr")
    told = {row.find("th").text_content().split()[0]: " ".join(row.text_content().split()) for row in rows}
    assert "210 900 → steady GetScores WCF Yes" in told["registrar-import"]
    assert "Still calls marked as migrated 14 November 2026, 3 calls since" in told["law-school"]
    assert "No, since 12 November 2026 marked as migrated" in told["admissions"]
    assert "No, since 10 October 2026 no call for 30 days" in told["old-portal"]
    stranger = told["0f3a9c5d7e21b846has"]
    assert "has no name in the configuration" in stranger
    assert stranger.endswith("No, it was not let in What replaces its calls: 0f3a9c5d7e21b846")
    assert [row.get("class") for row in rows] == ["", "returned", "gone", "gone", "", ""]
    assert "Callers left 3 of 5 234 calls in 7 days" in _text(_get())


def test_a_crowd_does_not_make_the_page_endless() -> None:
    crowd = summary(*(caller(f"unknown-{number}", is_named=False) for number in range(999)), caller())
    answer = _get(known=crowd)
    assert "1 of 1 callers still needs it." in _text(answer)
    rows = _parsed(answer).xpath("//table[@class='callers']/tbody/tr")
    assert len(rows) == 200
    assert "registrar-import" in rows[0].text_content()  # whatever a crowd of strangers does
    assert "the 200 that called last" in _text(answer)
    assert "that called last" not in _text(_get())


def test_keys_upstream_and_brownouts() -> None:
    ill = Health((Key("main", None, "not used yet"), Key("law", 86400, "refused")), is_answering=False)
    answer = _page().answer("/", "", "localhost", ill)
    assert answer is not None
    text = _text(answer)
    for told in (
        "does not answer",
        "“main” not used yet in the environment, its age is not known",
        "“law” refused generate a new one",
        "over 21 November 2026, 12:00 to 15:00 UTC, for all callers",
        "now 24 November 2026, 11:00 to 13:00 UTC, for all callers but law-school",
        "to come 3 December 2026, 12:00 to 14:00 UTC, for all callers; a dry run",
        "they hit registrar-import (12 calls).",
    ):
        assert told in text
    assert "34 days old" in _text(_get())
    assert "they hit nobody" in _text(_get(known=summary(GONE)))
    assert "Brownouts" not in _text(_get(retirement=RetirementSettings()))


def test_what_callers_choose_is_text() -> None:
    for answer in (
        _get(),
        _get("/successor", "caller=%3Cimg+src%3Dx+onerror%3D%22document.title%3D%27hit%27%22%3E%26%27%3C/script%3E"),
    ):
        assert answer.status == HTTPStatus.OK
        assert b"<img" not in answer.body
        assert HOSTILE in _parsed(answer).text_content()


def test_the_programs_of_a_caller() -> None:
    known = summary(caller("one", last_queries=()), caller("two"))
    (query,) = known.callers[1].last_queries
    shown = _parsed(_get("/successor", "caller=two", known=known))
    blocks = [block.text_content() for block in shown.iter("pre")]
    programs = [successor.program(language, UPSTREAM, query).strip() for language in successor.LANGUAGES]
    assert [block.strip() for block in blocks] == [successor.url(UPSTREAM, query), *programs]
    assert "nobody knows what it asks for" in _text(_get("/successor", "caller=one", known=known))
    for query_string, known_callers in (("caller=three", known), ("", known), ("caller=two", None)):
        assert _get("/successor", query_string, known=known_callers).status == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8079", "localhost:8079", "[::1]:8079", "[fe80::1]", "10.1.2.3", "Gw.example.edu:1"]
)
def test_it_is_asked_for_by_an_address_or_a_name_it_knows(host: str) -> None:
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
def test_a_name_that_somebody_else_made_lead_here_is_refused(host: str, path: str) -> None:
    answer = _get(path, "caller=registrar-import", host, hosts=frozenset({"gw.example.edu"}))
    assert answer.status == HTTPStatus.MISDIRECTED_REQUEST
    assert b"registrar" not in answer.body


def test_how_it_may_be_kept_and_what_it_may_load() -> None:
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
    "path", ["/static/", "/static/../page.py", "/static/uplot.LICENSE", "/status.html", "//", "/static"]
)
def test_there_is_nothing_else(path: str) -> None:
    assert _page().answer(path, "", "127.0.0.1", WELL) is None


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the base class gives it
        """Say nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    served = _page(MANY)

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        answer = served.answer(environ["PATH_INFO"], environ["QUERY_STRING"], environ["HTTP_HOST"], WELL)
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
def test_everybody_can_read_it(path: str, width: int, dark: bool, url: str, window: Browser) -> None:
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
def test_the_chart_is_drawn_in_the_readers_colours(dark: bool, line: str, url: str, window: Browser) -> None:
    window.show(dark=not dark)
    window.open(url)
    assert window.run(_COLOURS).get(line, 0) == 0
    window.show(dark=dark)  # while it is open, as at nightfall
    window.settle()
    assert window.run(_COLOURS)[line] > 200
    width = window.run("return document.querySelector('#chart canvas').width")
    window.show(width=390, dark=dark)
    window.settle()
    assert window.run("return document.querySelector('#chart canvas').width") < width
    assert window.run(_COLOURS)[line] > 100


def test_without_scripts_a_table_stands_for_the_chart(url: str, window: Browser) -> None:
    window.show(scripts=False)
    window.open(url)
    text = window.text
    assert "Still need the gateway" in text
    assert "24 November 2026" in text
    assert "called on the day" not in text  # the legend of no chart
    assert "Still calls" in text
    window.open(f"{url}successor?caller=registrar-import")
    assert not any(button.is_displayed() for button in window.driver.find_elements("css selector", "button"))


def test_everything_can_be_reached_by_keyboard(url: str, window: Browser) -> None:
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
def test_a_program_is_copied_with_a_key(has_clipboard: bool, url: str, window: Browser) -> None:
    window.driver.execute_cdp_cmd(
        "Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    )
    window.open(f"{url}successor?caller=registrar-import")
    window.run("window.clipboard = navigator.clipboard")
    if not has_clipboard:  # as over plain http from another machine
        window.run("Object.defineProperty(navigator, 'clipboard', {value: undefined, configurable: true})")
    window.run("return clipboard.writeText('something else')")
    button = window.driver.find_element("css selector", "button[data-copies='csharp-1']")
    button.send_keys(Keys.ENTER)
    window.run("return new Promise((done) => setTimeout(done, 50))")
    assert button.text.startswith("Copied")
    assert window.run("return document.getElementById('told').textContent") == "Copied"
    copied = window.run("return clipboard.readText()")
    assert copied.strip() == successor.program("csharp", UPSTREAM, MANY.callers[0].last_queries[0]).strip()


def test_the_browser_sees_what_is_wrong(url: str, window: Browser) -> None:
    """What is never found may never be looked for."""
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
