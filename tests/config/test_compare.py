import json
from pathlib import Path

import pytest

from shim import config
from shim.config import ComparisonSettings, ConfigError
from tests.config.files import GOOD, loaded, refused, written

LEGACY = """\
[legacy]
url = "https://example.edu/legacy.asmx"
wsdl = "old/legacy.wsdl"
authcode_file = "old/authcode"
[shadow]
sample = 0.5
time_limit = 7
"""


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ComparisonSettings:
    """The settings of a comparison, from a file that is named by a relative path."""
    (tmp_path / "conf").mkdir()
    (tmp_path / "elsewhere").mkdir()
    written(tmp_path / "conf", GOOD.replace("[upstream]", '[upstream]\nca_file = "ca.pem"') + LEGACY)
    monkeypatch.chdir(tmp_path)
    return config.load(Path("conf") / "shim.toml").comparison()


def test_it_has_what_a_comparison_needs(made: ComparisonSettings, tmp_path: Path) -> None:
    conf = tmp_path / "conf"
    assert (made.legacy.wsdl, made.legacy.authcode_file) == (conf / "old" / "legacy.wsdl", conf / "old" / "authcode")
    assert (made.upstream.url, made.upstream.ca_file) == (
        "https://toeflaccess-api.example.edu/scores",
        conf / "ca.pem",
    )
    assert [(code.name, code.env) for code in made.authcodes] == [("main", "TOEFL_AUTHCODE")]
    assert (made.shadow.sample, made.shadow.time_limit) == (0.5, 7)


def test_another_process_reads_the_same_settings_from_json(
    made: ComparisonSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("TOEFL_SHIM_UPSTREAM__URL", "https://example.edu/other")
    again = ComparisonSettings.model_validate(json.loads(json.dumps(made.model_dump(mode="json"))))
    assert again == made
    assert ComparisonSettings.model_validate_json(again.model_dump_json()) == made


def test_options_win_over_the_file(tmp_path: Path) -> None:
    legacy = (
        loaded(tmp_path, GOOD + LEGACY).comparison({"url": "http://127.0.0.1:9/", "wsdl": Path("/other.wsdl")}).legacy
    )
    assert (legacy.url, legacy.wsdl) == ("http://127.0.0.1:9/", Path("/other.wsdl"))
    assert legacy.authcode_file == tmp_path / "old" / "authcode"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, "legacy.url: is required"),
        ({"wsdl": Path("/legacy.wsdl")}, "legacy.url: is required"),
        ({"url": "http://example.edu/"}, "legacy.url: is plain http"),
    ],
)
def test_without_a_legacy_service_there_is_no_comparison(
    tmp_path: Path, options: dict[str, str | Path], reason: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path).comparison(options)
    assert str(caught.value).startswith(reason)


def test_live_calls_need_a_service_to_compare_with(tmp_path: Path) -> None:
    assert refused(tmp_path, f"{GOOD}[shadow]\nsample = 0.1") == [
        "shadow.sample: needs legacy.url, the address of the service to compare with"
    ]
