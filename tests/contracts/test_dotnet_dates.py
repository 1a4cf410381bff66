import base64
import os
import random
import subprocess
import time
from collections.abc import Callable, Sequence
from datetime import UTC
from pathlib import Path

import pytest

from shim.contracts import dotnet_dates
from shim.contracts.dates import DateReader
from tests.tools import require

INSTALL = "apt-get install -y --no-install-recommends mono-mcs mono-devel"

# What clients were seen to write, and what belongs to each of .NET's own formats of en-US.
TAKEN = (
    *("4/21/2025", "04/21/2025", "4/21/25", "4/21/29", "4/21/30", "04-21-2025", "4-21-25", "04.21.2025", "4 21 2025"),
    *("2025-04-21", "2025-4-21", "2025/04/21", "2025.04.21", "2/29/2024", "12/31/9999", "1/1/0001", "1/2/3"),
    *("2025-04-21T16:45:03", "2025-04-21t16:45:03", "2025-04-21T16:45", "2025-04-21T16:45:03.1234567"),
    *("2025-04-21T16:45:03Z", "2025-04-21T16:45:03+02:00", "2025-04-21T16:45:03-0400", "2025-04-21T16:45:03 +02:00"),
    *("2025-04-21 16:45:03", "2025-04-21 00:00:00.000", "2025-04-21Z", "2025-04-21-04:00", "2025-04-21 +14:00"),
    *("April 21, 2025", "april 21, 2025", "April 21,2025", "Apr 21 2025", "Apr. 21, 2025", "Apr 21 25", "Apr-21-2025"),
    *("21 April 2025", "21 Apr 2025", "21-Apr-2025", "21-APR-25", "21Apr2025", "2025 April 21", "2025-Apr-21"),
    *("Monday, April 21, 2025", "Mon 4/21/2025", "Monday, 21 April 2025", "May 1 2025", "September 1, 2025"),
    *("Monday, April 21, 2025 4:45 PM", "Monday, April 21, 2025 12:00:00 AM", "April 21, 2025 4:45:03 PM"),
    *("Mon, 21 Apr 2025 00:00:00 GMT", "Mon, 21 Apr 2025 16:45:03 +0200", "Sunday, 06-Nov-94 08:49:37 GMT"),
    *("4/21/2025 12:00:00 AM", "4/21/2025 12:00:00 PM", "4/21/2025 4:45 PM", "4/21/2025 4:45:03 pm", "4/21/2025 4PM"),
    *("4/21/2025 4:45:03\u202fPM", "4/21/2025 16:45 PM", "4/21/2025 0:45 AM", "4/21/2025 4:5:3", "4/21/2025 16:45"),
    *("04/21/2025 00:00:00", "4/21/2025 23:59:59.9999999", "4/21/2025, 16:45:03", "4/21/2025 16:45:03 -04:00"),
    *(
        "4/21/2025 16:45:03Z",
        "4/21/2025 16:45:03 GMT",
        "4/21/2025 4:45 PM -4",
        "16:45:03 4/21/2025",
        "4 PM 21 Apr 2025",
    ),
    *(" 4/21/2025 ", "\t4/21/2025\r\n", "\u00a04/21/2025\u00a0", "4/21/2025.", "4 / 21 / 2025", "4/21/2025  16:45"),
)
REFUSED = (
    *("", " ", "20250421", "20250421T164503", "21/4/2025", "21/04/2025", "13/1/2025", "25-04-21", "21.4.2025"),
    *("'4/21/2025'", '"4/21/2025"', "(4/21/2025)", "4/21//2025", "4/21/2025/", "/4/21/2025", "4/21/2025;"),
    *("2/30/2025", "2/29/2025", "0/1/2025", "4/0/2025", "1/1/12025", "001/01/2025", "0000-01-01", "2025-21-04"),
    *("21st April 2025", "April 21st, 2025", "Sept 21 2025", "Avril 21, 2025", "Tuesday, April 21, 2025"),
    *("4/21/2025 24:00:00", "4/21/2025 16:60", "4/21/2025 16:45:60", "4/21/2025 16", "4/21/2025 13:45 AM"),
    *("4/21/2025 4:45:03 P", "4/21/2025 4:45 P.M.", "4/21/2025T16:45:03", "4/21/2025-16:45:03", "4/21/2025 16:45,5"),
    *("2025-04-21T16", "2025-04-21T4:45 PM", "2025-04-21T16:45:03,5", "2025-04-21T16:45:03+14:01", "2025-W17-1"),
    *("2025-04-21T16:45:03 GMT", "4/21/2025 4:45 PMZ", "4/21/2025 16:45 +02:60", "Mon, 21 Apr 2025 16:45:03 EST"),
    *(
        "Mon Apr 21 00:00:00 2025",
        "Mon Apr 21 2025 00:00:00 GMT-0400",
        "yesterday",
        "1745193600",
        "4/21/2025 4/22/2025",
    ),
    *("\u0664/\u0662\u0661/2025", "\uff12\uff10\uff12\uff15-04-21"),
)
# .NET guesses what these leave out, takes the 31st of a month of 30 days for a year, or rounds up to another day.
GUESSES = ("4/2025", "April 2025", "4/21", "April 21", "16:45", "31-Apr-25", "4/21/2025 23:59:59.99999999")
# .NET takes them, and no client is known to write them.
UNUSUAL = ("4/21/2025 Monday", "4 2025 21", "Apr 2025 21", "4/21/2025 PM 4:45", "2025\u5e744\u670821\u65e5")

_PIECES = (
    ("", "", "", "Monday, ", "Mon ", "Tue, ", " "),
    (
        *("4/21/2025", "04-21-25", "4.1.2025", "2025-4-21", "2025/04/21", "21/4/2025", "April 21, 2025", "21-Apr-2025"),
        *("21 apr 25", "2025 Apr 21", "Apr21,2025", "4 - 21 / 2025", "1/1/1", "31-Jan-30", "20250421", "21.Apr, 2025"),
    ),
    ("", " ", ", ", "T", " T ", "-", ".", "  "),
    (
        *("", "", "16:45", "4:45 PM", "04:45:03am", "16:45:03.1234567", "0:00", "24:00", "4PM", "4", "16 : 45 : 03"),
        *("12:00:00 AM", "12 PM", "13:00 AM", "4:5:3 PM", "16:45:60"),
    ),
    ("", "", "Z", " z", "GMT", " GMT", "-04:00", " +2", " -0430", "+14:01", "+1:5", " EST", ".", ","),
)

Parse = Callable[[Sequence[str]], list[str]]


@pytest.fixture(scope="module")
def datetime_parse(tmp_path_factory: pytest.TempPathFactory) -> Parse:
    """DateTime.Parse itself, in a zone without an offset."""
    program = tmp_path_factory.mktemp("mono") / "DateParse.exe"
    source = Path(__file__).with_name("DateParse.cs")
    subprocess.run([require("mcs", install=INSTALL), "-warnaserror", f"-out:{program}", str(source)], check=True)
    command = [require("mono", install=INSTALL), str(program)]

    def parse(texts: Sequence[str]) -> list[str]:
        lines = "".join(f"{base64.b64encode(text.encode()).decode()}\n" for text in texts)
        environment = os.environ | {"TZ": "UTC"}
        ended = subprocess.run(command, input=lines, capture_output=True, text=True, check=True, env=environment)
        return ended.stdout.splitlines()

    return parse


def ours(text: str) -> str:
    """Return a date in UTC, or that it is refused."""
    found = dotnet_dates.read(" ".join(text.split()))
    if found is None:
        return "refused"
    return (found if found.tzinfo is None else found.astimezone(UTC)).replace(tzinfo=None).isoformat()


def test_it_reads_what_net_reads(datetime_parse: Parse) -> None:
    assert dict(zip(TAKEN, map(ours, TAKEN), strict=True)) == dict(zip(TAKEN, datetime_parse(TAKEN), strict=True))
    assert "refused" not in map(ours, TAKEN)


def test_it_refuses_what_net_refuses(datetime_parse: Parse) -> None:
    assert [text for text in REFUSED if ours(text) != "refused"] == []
    assert set(datetime_parse(REFUSED)) == {"refused"}


def test_it_does_not_guess_as_net_does(datetime_parse: Parse) -> None:
    assert "refused" not in datetime_parse(GUESSES)
    assert [ours(text) for text in GUESSES] == [*["refused"] * 6, "2025-04-21T23:59:59"]


def test_it_refuses_orders_that_only_net_knows(datetime_parse: Parse) -> None:
    assert "refused" not in datetime_parse(UNUSUAL)
    assert {ours(text) for text in UNUSUAL} == {"refused"}


def test_what_it_takes_net_takes_for_the_same_date(datetime_parse: Parse) -> None:
    chance = random.Random(21)  # noqa: S311 - a test
    texts = sorted({"".join(map(chance.choice, _PIECES)) for _ in range(4000)})
    pairs = zip(texts, map(ours, texts), datetime_parse(texts), strict=True)
    assert [(text, here, there) for text, here, there in pairs if here not in ("refused", there)] == []
    assert sum(ours(text) != "refused" for text in texts) > len(texts) / 10


@pytest.mark.parametrize("text", TAKEN)
def test_as_a_form_of_an_operation_it_reads_the_same(text: str) -> None:
    """The form of an operation tries faster forms first."""
    assert DateReader([".NET en-US"], instants=True).to_utc(text, "start").isoformat() == ours(text)


@pytest.mark.parametrize("text", [*REFUSED, *GUESSES[:6]])
def test_as_a_form_of_an_operation_it_refuses_the_same(text: str) -> None:
    with pytest.raises(ValueError, match="not a date in a form"):
        DateReader([".NET en-US"]).to_utc(text, "start")


@pytest.mark.parametrize(
    "text",
    [
        "4" * 100_000,
        "4/21/2025" + "," * 190,
        "4" + " " * 190 + "!",
        ("4 ," * 66),
        "Mon" + "," * 190,
        "4/21/2025" + " ," * 95,
    ],
    ids=lambda text: text[:12],
)
def test_no_text_takes_long(text: str) -> None:
    began = time.perf_counter()
    dotnet_dates.read(text)
    assert time.perf_counter() - began < 0.1
