import subprocess
import sys

from shim.sandbox import DEMO_AUTHCODE


def test_demo_shows_the_way_of_a_call() -> None:
    ran = subprocess.run([sys.executable, "-m", "shim", "demo"], capture_output=True, text=True, check=True)
    assert "<StartDate>2025-04-21T16:45:03</StartDate>" in ran.stdout
    assert "GET /scores?startdate=2025-04-21T16:45:03&" in ran.stdout
    assert "the same" in ran.stdout
    assert DEMO_AUTHCODE not in ran.stdout
