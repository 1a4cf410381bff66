"""Which configs are refused, since they would let in whom they should not, and which are allowed."""

import os
from pathlib import Path

import pytest

from shim import config
from shim.config import Config, ConfigError
from tests.access.offers import OWN_HASH

_UPSTREAM = '[upstream]\nurl = "https://toeflaccess-api.example.edu/scores"\n'
_MAIN = '[[authcodes]]\nname = "main"\nenv = "TOEFL_AUTHCODE"\n'
_OTHER = '[[authcodes]]\nname = "other"\nenv = "OTHER"\n'
_PUBLIC = '[gateway]\nbind = "192.0.2.1:80"\n'
_BEHIND = '[gateway]\ntrusted_proxies = ["127.0.0.1/32"]\n'
_OWN = f'credentials = "own"\nuser = "import"\npassword_hash = "{OWN_HASH}"\n'
_OPEN = (
    "would give scores to everybody who reaches {}: name networks, a certificate or credentials; or, if that is "
    "wanted, set gateway.allow_anybody"
)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith(config.PREFIX):
            monkeypatch.delenv(name)


def caller(*lines: str, name: str = "it") -> str:
    return "\n".join((f'[[callers]]\nname = "{name}"', *lines, ""))


def loaded(folder: Path, text: str) -> Config:
    path = folder / "shim.toml"
    path.write_text(text, encoding="utf-8")
    return config.load(path)


@pytest.mark.parametrize(
    ("gateway", "rest", "names"),
    [
        pytest.param("", _MAIN, ["main", "this-machine"], id="loopback, nothing said"),
        pytest.param('[gateway]\nbind = "[::1]:80"\n', _MAIN, ["main", "this-machine"], id="loopback of IPv6"),
        pytest.param("", _MAIN + _OTHER, ["main", "other"], id="two authcodes: nobody without credentials"),
        pytest.param(_PUBLIC, _MAIN, ["main"], id="public, nothing said: the halves of the authcode"),
        pytest.param(_BEHIND, _MAIN, ["main"], id="behind a proxy, nothing said"),
        pytest.param(_PUBLIC, _MAIN + caller('credentials = "authcode"'), ["it"], id="public, credentials"),
        pytest.param(_PUBLIC, _MAIN + caller(_OWN), ["it"], id="public, credentials of its own"),
        pytest.param(_PUBLIC, _MAIN + caller('networks = ["10.20.0.0/16"]'), ["it"], id="public, a network"),
        pytest.param(_PUBLIC, caller('credentials = "pass-through"'), ["it"], id="public, pass-through, no authcode"),
        pytest.param(
            _PUBLIC, _MAIN + caller('networks = ["0.0.0.0/0"]', _OWN), ["it"], id="public, everywhere with credentials"
        ),
        pytest.param(_BEHIND, _MAIN + caller('certificate = "CN=x"'), ["it"], id="behind a proxy, a certificate"),
        pytest.param(
            f"{_PUBLIC}allow_anybody = true\n", _MAIN + caller('networks = ["0.0.0.0/0"]'), ["it"], id="public, wanted"
        ),
        pytest.param("", _MAIN + caller("anybody = true"), ["it"], id="loopback, anybody"),
        pytest.param("", _MAIN + caller('networks = ["::/0"]'), ["it"], id="loopback, everywhere"),
        pytest.param("", _MAIN + caller("anybody = true", _OWN), ["it"], id="loopback, anybody with credentials"),
    ],
)
def test_allowed(tmp_path: Path, gateway: str, rest: str, names: list[str]) -> None:
    assert [entry.name for entry in loaded(tmp_path, gateway + _UPSTREAM + rest).who_may_call] == names


@pytest.mark.parametrize(
    ("gateway", "rest", "reason"),
    [
        pytest.param(
            _PUBLIC,
            _MAIN + caller("anybody = true"),
            f"callers.it: {_OPEN.format('192.0.2.1:80')}",
            id="public, anybody",
        ),
        pytest.param(
            '[gateway]\nbind = "0.0.0.0:80"\n',
            _MAIN + caller("anybody = true"),
            f"callers.it: {_OPEN.format('0.0.0.0:80')}",
            id="all addresses, anybody",
        ),
        pytest.param(
            _PUBLIC,
            _MAIN + caller('networks = ["10.0.0.0/8", "0.0.0.0/0"]'),
            f"callers.it: {_OPEN.format('192.0.2.1:80')}",
            id="public, everywhere",
        ),
        pytest.param(
            _PUBLIC, _MAIN + caller('networks = ["::/0"]'), f"callers.it: {_OPEN.format('192.0.2.1:80')}", id="IPv6"
        ),
        pytest.param(
            _BEHIND,
            _MAIN + caller("anybody = true"),
            f"callers.it: {_OPEN.format('127.0.0.1:8080')}",
            id="behind a proxy, anybody",
        ),
        pytest.param(
            "",
            _MAIN + caller('certificate = "CN=x"'),
            "callers.it: a certificate counts only from gateway.trusted_proxies",
            id="a certificate from nobody",
        ),
        pytest.param(
            "",
            _MAIN + caller('authcode = "none"', "anybody = true"),
            "callers.it: needs the name of one of the authcodes",
            id="an authcode that there is not",
        ),
        pytest.param(
            "",
            _MAIN + _OTHER + caller('credentials = "authcode"'),
            "callers.it: needs the name of one of the authcodes",
            id="which of two authcodes",
        ),
        pytest.param(
            "", "", "authcodes: at least one is needed, unless every caller is pass-through", id="no authcode"
        ),
        pytest.param("", _MAIN * 2, "two authcodes are named main", id="two of one name"),
        pytest.param(
            "",
            _MAIN + caller(),
            "callers.0: says of nothing how it proves itself: networks, certificate, credentials or anybody",
            id="no proof",
        ),
        pytest.param(
            "",
            caller('credentials = "pass-through"', 'authcode = "main"'),
            "callers.0: pass-through makes its own authcode: leave authcode out",
            id="pass-through with an authcode",
        ),
        *(
            pytest.param(
                "",
                _MAIN + caller(*lines),
                'callers.0: credentials = "own" goes with user and either password_hash or secret_file',
                id=name,
            )
            for name, lines in {
                "own without all": ['credentials = "own"'],
                "own without a hash": ['credentials = "own"', 'user = "import"'],
                "own without a user": ['credentials = "own"', f'password_hash = "{OWN_HASH}"'],
                "own with two secrets": [_OWN, 'secret_file = "secret"'],
                "a user without own": ['credentials = "authcode"', 'user = "import"'],
            }.items()
        ),
    ],
)
def test_refused(tmp_path: Path, gateway: str, rest: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, gateway + _UPSTREAM + rest)
    assert str(caught.value) == reason
    assert OWN_HASH not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("password", 'password = "synthetic-secret"'),
        ("password_hash", 'password_hash = ["synthetic-secret"]'),
        ("credentials", 'credentials = "synthetic-secret"'),
        ("networks.0", 'networks = ["synthetic-secret"]'),
        ("user", 'user = { name = "synthetic-secret" }'),
    ],
)
def test_no_value_is_printed(tmp_path: Path, key: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, _UPSTREAM + _MAIN + caller(line))
    assert str(caught.value).startswith(f"callers.0.{key}: ")
    assert "secret" not in str(caught.value)
