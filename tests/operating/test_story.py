"""A retirement from its first call to the day on which the gateway may be switched off.

With PICTURES set to a folder (``make pictures``), a screenshot of the status page is kept there for each step.
"""

import base64
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from lxml import html
from typer.testing import CliRunner

from shim.cli import cli
from shim.sandbox import DEMO_AUTHCODE, Sandbox
from tests.gateway import Gateway, running_gateway, write_secret
from tests.processes import wait_until
from tests.soap_http import Answer, envelope, post
from tests.web.browser import Browser, browser

# Each caller's calls on a working day of the weeks before.
_CALLERS: Final = {"registrar-import": 24, "graduate-office": 8, "library": 2}
_INFO: Final = "https://it.example.edu/toefl-migration"
_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5


class Story:
    """A gateway with three callers, as its manager sees it."""

    def __init__(self, gateway: Gateway, sandbox: Sandbox, window: Browser) -> None:
        self.gateway = gateway
        self._sandbox = sandbox
        self._window = window
        self._pictures = os.environ.get("PICTURES")

    def call(self, name: str) -> Answer:
        password = base64.b64encode(f"{name}:{_password(name)}".encode()).decode()
        return post(self.gateway.url, envelope(), headers={"Authorization": f"Basic {password}"})

    def retire(self, deprecated: datetime, sunset: datetime, *brownouts: dict[str, Any]) -> None:
        """Change the dates in the configuration, and reload it."""
        dates = {"info_url": _INFO, "deprecated": deprecated.isoformat(), "sunset": sunset.isoformat()}
        more = {"retirement": dates, "retirement.brownouts": list(brownouts)}
        self.gateway.configure(_own() | more)
        self.gateway.reload()

    def run(self, *command: str) -> str:
        """Run a command of the gateway, and return its output."""
        done = CliRunner().invoke(cli, [*command, "-c", str(self.gateway.folder / "gateway.toml")])
        assert done.exit_code == 0, done.output
        return done.output

    def callers(self) -> dict[str, dict[str, Any]]:
        return {caller["name"]: caller for caller in json.loads(self.run("callers", "--json"))}

    def page(self, told: str) -> str:
        """Wait until the status page has a text, open it in a browser, and return what the browser shows."""
        wait_until(lambda: told in self._served_text(), f"{told!r} on the page")
        self._window.open(f"http://127.0.0.1:{self.gateway.admin_port}/")
        assert told in self._window.text
        if self._pictures is not None:
            self._window.settle()
            number = sum(1 for _ in Path(self._pictures).glob("*.png")) + 1
            self._window.screenshot(Path(self._pictures) / f"status-{number}.png")
        return self._window.text

    def _served_text(self) -> str:
        return " ".join("".join(map(str, html.fromstring(self.gateway.admin("/").content).itertext())).split())


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    with Sandbox() as sandbox, browser() as window:
        sandbox.authcodes.add(DEMO_AUTHCODE)
        folder = tmp_path / "gateway"
        folder.mkdir()
        for name in _CALLERS:
            write_secret(folder / name, _password(name))
        _remember(folder / "journal")
        with running_gateway(sandbox.url, folder, _own()) as gateway:
            yield Story(gateway, sandbox, window)


def _own() -> dict[str, Any]:
    callers = [{"name": name, "credentials": "own", "user": name, "secret_file": name} for name in _CALLERS]
    return {"callers": callers, "ledger": {"url": "sqlite:///ledger.db", "journal": "journal"}}


def _password(name: str) -> str:
    return f"{name}'s own password"


def _remember(journal: Path) -> None:
    """Write the calls of eight weeks to the journal, as an earlier run of the gateway would have left them."""
    today = datetime.now(UTC).replace(hour=2, minute=0, second=0, microsecond=0)
    call = {"named": True, "operation": "GetScores", "outcome": "ok", "soap": "1.1", "software": "WCF", "seconds": 0.3}
    lines = [
        json.dumps({"at": (today - age * _DAY).timestamp() + number, "caller": name, **call})
        for age in range(56, 0, -1)
        if (today - age * _DAY).weekday() < _SATURDAY
        for name, often in _CALLERS.items()
        for number in range(often)
    ]
    journal.mkdir(mode=0o700)
    (journal / f"{uuid.uuid4().hex}.journal").write_text("\n".join(lines) + "\n")


def test_from_three_callers_to_none(story: Story, tmp_path: Path) -> None:
    soap = {name: story.call(name) for name in _CALLERS}
    assert {answer.status for answer in soap.values()} == {200}
    assert "No, do not switch the gateway off today." in story.page("3 of 3 callers still need it.")
    assert story.callers()["registrar-import"]["calls_30"] > 20 * _CALLERS["registrar-import"]

    # One caller migrates: it runs the successor program that was made for it.
    program = tmp_path / "scores.py"
    program.write_text(story.run("successor", "registrar-import", "--lang", "python"))
    environment = {"TOEFL_AUTHCODE": DEMO_AUTHCODE, "PATH": os.environ["PATH"]}
    fetched = subprocess.run([sys.executable, str(program)], env=environment, capture_output=True, check=True)
    assert fetched.stdout == soap["registrar-import"].result != b""
    story.run("callers", "migrated", "registrar-import")
    assert "marked as migrated" in story.page("2 of 3 callers still need it.")
    assert story.callers()["registrar-import"]["migrated"]

    # A forgotten job of it still calls: the call is answered, and reported.
    assert story.call("registrar-import").status == 200
    assert "3 of 3 callers still need it." in story.page("Marked as migrated, but still calling: registrar-import.")
    assert [line["caller"] for line in story.gateway.lines if line["event"] == "migrated"] == ["registrar-import"]
    story.run("callers", "migrated", "registrar-import")

    # A brownout reminds the other callers, except the exempt one.
    moment = datetime.now(UTC)
    hours = {"start": (moment - _DAY / 24).isoformat(), "end": (moment + _DAY / 24).isoformat()}
    story.retire(moment - _DAY, moment + 30 * _DAY, {**hours, "exempt": ["library"]})
    hit = story.call("graduate-office")
    assert (hit.status, hit.slug) == (500, "brownout")
    assert _INFO in hit.fault
    assert int(hit.headers["retry-after"]) > 3000
    assert hit.headers["sunset"].endswith(" GMT")
    assert story.call("library").status == 200
    text = story.page("2 of 3 callers still need it.")
    assert "graduate-office" in text
    assert story.callers()["graduate-office"]["outcomes"]["brownout"] == 1

    # After the sunset no caller gets scores, and the ledger counts those that still call.
    story.run("callers", "migrated", "graduate-office")
    story.retire(moment - 2 * _DAY, moment - _DAY)
    end = story.call("library")
    assert (end.status, end.slug) == (500, "sunset")
    assert _INFO in end.fault
    wait_until(lambda: story.callers()["library"]["outcomes"].get("sunset") == 1, "call after the sunset")
    assert "callers get a fault that names the REST API" in story.page("The sunset has passed")

    story.run("callers", "migrated", "library")
    assert "Every caller has migrated" in story.page("Yes, the gateway may be switched off today.")
