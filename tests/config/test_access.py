"""Which configs are refused, since they would let in whom they should not, and which are allowed."""

from pathlib import Path

import pytest

from shim.config import ConfigError
from tests.access.offers import OWN_HASH
from tests.config.files import GOOD, loaded, refused

_UPSTREAM = '[upstream]\nurl = "https://toeflaccess-api.example.edu/scores"\n'
_MAIN = '[[authcodes]]\nname = "main"\nenv = "TOEFL_AUTHCODE"\n'
_OTHER = '[[authcodes]]\nname = "other"\nenv = "OTHER"\n'
_PUBLIC = '[gateway]\nbind = "192.0.2.1:80"\n'
_BEHIND = '[gateway]\ntrusted_proxies = ["127.0.0.1/32"]\n'
_OWN = f'credentials = "own"\nuser = "import"\npassword_hash = "{OWN_HASH}"\n'
_OPEN = (
    "gives scores to everybody who reaches {}: set networks, certificate or credentials, or allow this with "
    "gateway.allow_anybody"
)


def caller(*lines: str, name: str = "it") -> str:
    return "\n".join((f'[[callers]]\nname = "{name}"', *lines, ""))


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
            "callers.it: certificate needs gateway.trusted_proxies, which pass its subject",
            id="a certificate from nobody",
        ),
        pytest.param(
            "",
            _MAIN + caller('authcode = "none"', "anybody = true"),
            "callers.it: authcode must be the name of one of the authcodes",
            id="an authcode that there is not",
        ),
        pytest.param(
            "",
            _MAIN + _OTHER + caller('credentials = "authcode"'),
            "callers.it: authcode must be the name of one of the authcodes",
            id="which of two authcodes",
        ),
        pytest.param(
            "", "", "authcodes: at least one is needed, unless every caller is pass-through", id="no authcode"
        ),
        pytest.param("", _MAIN * 2, "authcodes: two are named main", id="two of one name"),
        pytest.param(
            "",
            _MAIN + caller(),
            "callers.0: has no authentication: set networks, certificate, credentials or anybody",
            id="no proof",
        ),
        pytest.param(
            "",
            caller('credentials = "pass-through"', 'authcode = "main"'),
            'callers.0: remove authcode: credentials = "pass-through" makes one of what the caller sends',
            id="pass-through with an authcode",
        ),
        *(
            pytest.param(
                "",
                _MAIN + caller(*lines),
                'callers.0: credentials = "own" needs user, and either password_hash or secret_file',
                id=name,
            )
            for name, lines in {
                "own without all": ['credentials = "own"'],
                "own without a hash": ['credentials = "own"', 'user = "import"'],
                "own without a user": ['credentials = "own"', f'password_hash = "{OWN_HASH}"'],
                "own with two secrets": [_OWN, 'secret_file = "secret"'],
            }.items()
        ),
        pytest.param(
            "",
            _MAIN + caller('credentials = "authcode"', 'user = "import"'),
            'callers.0: user needs credentials = "own"',
            id="a user without own",
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


class TestAuthcodes:
    @pytest.mark.parametrize(
        ("place", "reason"),
        [
            ("", "authcodes.0: needs either file or env"),
            ('file = "a"\nenv = "A"', "authcodes.0: needs either file or env"),
            ('value = "c3ludGhldGljLXNlY3JldA=="', "authcodes.0.value: no such setting"),
        ],
        ids=["nowhere", "two places", "in the file itself"],
    )
    def test_one_place(self, tmp_path: Path, place: str, reason: str) -> None:
        lines = refused(tmp_path, GOOD.replace('env = "TOEFL_AUTHCODE"', place))
        assert reason in lines
        assert "c3ludGhldGlj" not in "\n".join(lines)

    def test_at_least_one(self, tmp_path: Path) -> None:
        (line,) = refused(tmp_path, f"authcodes = []\n{GOOD.partition('[[')[0]}")
        assert line.startswith("authcodes: at least one is needed")

    def test_names_are_distinct(self, tmp_path: Path) -> None:
        name = loaded(tmp_path).authcodes[0].name
        (line,) = refused(tmp_path, f'{GOOD}\n[[authcodes]]\nname = "{name}"\nenv = "B"')
        assert line == f"authcodes: two are named {name}"

    @pytest.mark.parametrize(
        ("place", "words"),
        [('env = "A"', "environment variable A"), ('file = "/run/a"', "file /run/a")],
        ids=["env", "file"],
    )
    def test_its_place_in_words(self, tmp_path: Path, place: str, words: str) -> None:
        assert loaded(tmp_path, GOOD.replace('env = "TOEFL_AUTHCODE"', place)).authcodes[0].place == words


@pytest.mark.parametrize(
    ("callers", "reason"),
    [
        ('name = "a"\nnetworks = ["0.0.0.0/1", "128.0.0.0/1"]', "gives scores to everybody"),
        ('name = "a"\nnetworks = ["::/1", "8000::/1"]', "gives scores to everybody"),
        ('name = "a"\nnetworks = ["10.0.0.0/8"]\n[[callers]]\nname = "a"\nanybody = true', "callers: two are named a"),
        ('name = "a"\ncredentials = "own"\nuser = "u"\npassword_hash = "synthetic-secret"', "should match pattern"),
    ],
    ids=["halves", "halves of IPv6", "one name", "no hash"],
)
def test_dangerous_callers_are_refused(tmp_path: Path, callers: str, reason: str) -> None:
    lines = "\n".join(refused(tmp_path, f'[gateway]\nbind = "0.0.0.0:8080"\n{GOOD}\n[[callers]]\n{callers}'))
    assert reason in lines
    assert "synthetic-secret" not in lines
