"""A real browser, Chromium, that can reach only the server of a test."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from selenium.webdriver import Chrome, ChromeOptions, ChromeService

from tests.tools import require

_INSTALL: Final = "apt-get install -y --no-install-recommends chromium chromium-driver"
_AXE: Final = Path(__file__).parent / "axe" / "axe.min.js"
_FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


class Browser:
    """A browser with one window.

    Attributes:
        driver: Selenium's driver, for everything without a method here.
    """

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def show(self, *, width: int = 1280, height: int = 900, dark: bool = False, scripts: bool = True) -> None:
        """Set the size of the window, the colour scheme, and whether scripts run."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self._command("Emulation.setDeviceMetricsOverride", metrics)
        self._command("Emulation.setEmulatedMedia", {"features": scheme})
        self._command("Emulation.setFocusEmulationEnabled", {"enabled": True})
        self._command("Emulation.setScriptExecutionDisabled", {"value": not scripts})

    def open(self, url: str) -> None:
        """Open a page, and drop the earlier messages and requests."""
        for kind in ("browser", "performance"):
            self.driver.get_log(kind)  # type: ignore[no-untyped-call]
        self.driver.get(url)

    def settle(self) -> None:
        """Wait until the page is redrawn."""
        self.run("return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    @property
    def text(self) -> str:
        """The visible text of the page."""
        return str(self.run("return document.body.innerText"))

    def run(self, script: str, *arguments: object) -> Any:  # noqa: ANN401 - whatever the script returns
        """Run a script in the page, and return its result."""
        return self.driver.execute_script(script, *arguments)

    def screenshot(self, path: Path) -> None:
        """Write a picture of the whole page, as PNG."""
        taken = self._command("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True})
        path.write_bytes(base64.b64decode(taken["data"]))

    def console(self) -> list[str]:
        """Return the browser's messages since the last call: errors, and violations of the page's content policy."""
        return [entry["message"] for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]

    def requests(self) -> list[str]:
        """Return the URLs that were requested since the last call."""
        entries = self.driver.get_log("performance")  # type: ignore[no-untyped-call]
        events = [json.loads(entry["message"])["message"] for entry in entries]
        return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]

    def barriers(self) -> list[str]:
        """Return the accessibility violations that axe-core finds."""
        self.run(_AXE.read_text(encoding="utf-8"))
        found: Any = self.driver.execute_async_script("axe.run().then((found) => arguments[0](found.violations))")
        return [f"{each['id']}: {node['html']} {node['failureSummary']}" for each in found for node in each["nodes"]]

    def _command(self, name: str, parameters: dict[str, Any]) -> Any:  # noqa: ANN401 - the protocol has no types
        return self.driver.execute_cdp_cmd(name, parameters)


@contextmanager
def browser() -> Iterator[Browser]:
    """Run a browser until the end of the block."""
    options = ChromeOptions()
    options.binary_location = require("chromium", install=_INSTALL)
    service = ChromeService(require("chromedriver", install=_INSTALL))
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for flag in (*_FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        driver = Chrome(options=options, service=service)
        try:
            started = Browser(driver)
            started.show()
            yield started
        finally:
            driver.quit()
