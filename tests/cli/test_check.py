from pathlib import Path

from shim.sandbox import DEMO_AUTHCODE, Sandbox
from tests.cli.commands import config_file, good_config, invoke


def test_check_says_what_isgood_config(tmp_path: Path, authcode_file: Path) -> None:
    shown = invoke(["check", "-c", good_config(tmp_path)])
    assert shown.exit_code == 0
    assert "wrong" not in shown.output
    assert DEMO_AUTHCODE not in shown.output


def test_check_reports_all_mistakes_at_once(tmp_path: Path) -> None:
    text = '[gateway]\nbind = "80"\nbnd = 1\n[upstream]\nurl = "http://example.org /scores"\n[[authcodes]]\n'
    shown = invoke(["check", "-c", config_file(tmp_path, text)])
    assert shown.exit_code == 1
    for place in ("gateway.bind", "gateway.bnd", "upstream.url", "authcodes"):
        assert place in shown.output


def test_check_calls_the_upstream_once(tmp_path: Path, authcode_file: Path) -> None:
    with Sandbox() as sandbox:
        good = invoke(["check", "--upstream", "-c", good_config(tmp_path, sandbox.url)])
        assert (good.exit_code, len(sandbox.requests)) == (0, 1)
        sandbox.authcodes = set()
        expired = invoke(["check", "--upstream", "-c", good_config(tmp_path, sandbox.url)])
    assert expired.exit_code == 1
    assert "generate a new API key in TOEFL Access" in " ".join(expired.output.split())
