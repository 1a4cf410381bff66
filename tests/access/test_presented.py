import base64
import hmac
from dataclasses import replace

import pytest

from shim.access.presented import Credentials, Plain, basic
from tests.access.offers import PLANTED, SECRET, USER, basic_header, digest, plain, proof

DIGEST = digest()


class TestMatches:
    @pytest.mark.parametrize(
        ("offered", "right"),
        [
            pytest.param(plain(), True, id="plain: right"),
            pytest.param(plain("other"), False, id="plain: user"),
            pytest.param(plain(password="other"), False, id="plain: password"),
            pytest.param(plain(SECRET, USER), False, id="plain: the other way round"),
            pytest.param(plain("", ""), False, id="plain: nothing"),
            pytest.param(plain(USER.upper()), False, id="plain: case of the user"),
            pytest.param(plain(password=SECRET[:-1]), False, id="plain: cut"),
            pytest.param(plain(password=f"{SECRET} "), False, id="plain: space"),
            pytest.param(plain(password=SECRET.replace("€", "?")), False, id="plain: another encoding's loss"),
            pytest.param(DIGEST, True, id="digest: right"),
            pytest.param(digest("other"), False, id="digest: user"),
            pytest.param(digest(password="other"), False, id="digest: password"),
            pytest.param(replace(DIGEST, nonce=b"other"), False, id="digest: nonce"),
            pytest.param(replace(DIGEST, created="2025-04-21T16:45:03Z"), False, id="digest: time"),
            pytest.param(replace(DIGEST, digest=b""), False, id="digest: nothing"),
            pytest.param(replace(DIGEST, digest=DIGEST.digest[:-1]), False, id="digest: cut"),
        ],
    )
    def test_both_parts(self, offered: Credentials, right: bool) -> None:
        assert offered.matches(USER, SECRET) is right

    def test_the_vectors_of_another_implementation(self) -> None:
        # Made by zeep, recorded in tests/golden/wire/zeep/wsse-digest-08-POST-GetScores.http.
        recorded = replace(
            DIGEST,
            user="user",
            digest=base64.b64decode("qJBYpKSv6dAYjR4OpfjXID0y2tM="),
            nonce=base64.b64decode("VQCfZcf6C3TlJWa4J9Wx2Q=="),
            created="2026-11-23T10:42:00+00:00",
        )
        assert recorded.matches("user", "p&ss<wörd>")

    @pytest.mark.parametrize("offered", [plain(), digest()], ids=["plain", "digest"])
    @pytest.mark.parametrize(("user", "password"), [(USER, SECRET), ("x", SECRET), (USER, "x"), ("x", "x")])
    def test_both_are_compared_whichever_is_wrong(
        self, monkeypatch: pytest.MonkeyPatch, offered: Credentials, user: str, password: str
    ) -> None:
        compared: list[tuple[int, int]] = []
        original = hmac.compare_digest

        def counted(one: bytes, other: bytes) -> bool:
            compared.append((len(one), len(other)))
            return original(one, other)

        monkeypatch.setattr(hmac, "compare_digest", counted)
        offered.matches(user, password)
        assert len(compared) == 2
        assert all(one == other for one, other in compared), "a length can be measured"


class TestBasic:
    @pytest.mark.parametrize(
        ("header", "found"),
        [
            pytest.param(basic_header(), (USER, SECRET), id="UTF-8"),
            pytest.param(basic_header("üser", "pässwörd", "latin-1"), ("üser", "pässwörd"), id="Latin-1"),
            pytest.param(basic_header(password="a:b:c"), (USER, "a:b:c"), id="colons in the password"),
            pytest.param(basic_header(password=""), (USER, ""), id="no password"),
            pytest.param(basic_header("", ""), ("", ""), id="a colon alone"),
            pytest.param(basic_header().replace("Basic", "BASIC"), (USER, SECRET), id="upper case"),
            pytest.param(basic_header().replace("Basic", "basic  "), (USER, SECRET), id="lower case, spaces"),
        ],
    )
    def test_it_is_read(self, header: str, found: tuple[str, str]) -> None:
        assert basic(header) == Plain(*found)

    @pytest.mark.parametrize("header", ["", "Bearer abc", "Negotiate YII=", "Digest username=registrar", "Basically a"])
    def test_another_scheme(self, header: str) -> None:
        assert basic(header) is None

    @pytest.mark.parametrize(
        "header",
        [
            pytest.param("Basic", id="nothing"),
            pytest.param("Basic !!!", id="no base64"),
            pytest.param(basic_header()[:-1], id="cut"),
            pytest.param(f"{basic_header()} {basic_header()}", id="two"),
            pytest.param("Basic bm9jb2xvbg==", id="no colon"),
            pytest.param("Basic é€é€", id="not ASCII"),
        ],
    )
    def test_it_is_malformed_and_the_reason_says_nothing_of_it(self, header: str) -> None:
        with pytest.raises(ValueError, match=r"^(not base64|no colon|string argument should contain only ASCII.*)$"):
            basic(header)


def test_nothing_has_a_representation_that_tells_a_secret() -> None:
    offered = proof(plain(), digest(), Plain("import", PLANTED[1]))
    for shown in (repr(offered), str(offered), f"{offered}", *map(repr, offered.credentials), *map(str, (offered,))):
        assert not [secret for secret in (*PLANTED, DIGEST.digest.hex(), USER) if secret in shown]
