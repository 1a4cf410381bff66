import base64

import pytest

from shim.upstream.authcode import Authcode, AuthcodeError

GOOD = base64.b64encode(b"synthetic-id:synthetic-secret").decode()


def encoded(halves: bytes) -> str:
    return base64.b64encode(halves).decode()


class TestParse:
    @pytest.mark.parametrize(
        "text", [GOOD, f"{GOOD}\n", f" \t{GOOD}\r\n", encoded("\u00fc:\u00df".encode()), encoded(b"a:b")]
    )
    def test_white_space_around_it_does_not_count(self, text: str) -> None:
        assert Authcode.parse(text).value == text.strip()

    @pytest.mark.parametrize("text", ["", " ", "\r\n"])
    def test_empty(self, text: str) -> None:
        with pytest.raises(AuthcodeError, match="is empty"):
            Authcode.parse(text)

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("synthetic-id:synthetic-secret", id="not encoded"),
            pytest.param(GOOD[:-1], id="cut"),
            pytest.param(f"{GOOD[:8]}\n{GOOD[8:]}", id="line break within"),
            pytest.param(f"{GOOD[:8]} {GOOD[8:]}", id="space within"),
            pytest.param(f"{GOOD}\r\nX-Other: 1", id="another header"),
            pytest.param("Basic " + GOOD, id="with a scheme"),
            pytest.param(f'"{GOOD}"', id="quoted"),
            pytest.param("\u00e9" * 8, id="not ASCII"),
            pytest.param("\ufeff" + GOOD, id="byte order mark"),
            pytest.param(encoded(b"\xff:\xfe"), id="not text within"),
        ],
    )
    def test_no_base64_text(self, text: str) -> None:
        with pytest.raises(AuthcodeError, match="is not base64 text"):
            Authcode.parse(text)

    @pytest.mark.parametrize("halves", [b"synthetic", b"a:", b":b", b":", b"a:b:c", b"a::b"], ids=repr)
    def test_no_two_halves(self, halves: bytes) -> None:
        with pytest.raises(AuthcodeError, match="one colon"):
            Authcode.parse(encoded(halves))

    def test_it_has_no_representation(self) -> None:
        authcode = Authcode.parse(GOOD)
        for shown in (repr(authcode), str(authcode), f"{authcode}", repr([authcode])):
            assert GOOD not in shown

    def test_it_cannot_be_changed(self) -> None:
        with pytest.raises(AttributeError):
            Authcode.parse(GOOD).value = ""  # type: ignore[misc]

    def test_of_its_halves(self) -> None:
        authcode = Authcode.of("synthetic-id", "p€")
        assert authcode == Authcode.parse(encoded("synthetic-id:p€".encode()))
        assert authcode.halves == ("synthetic-id", "p€")

    @pytest.mark.parametrize("halves", [("a", ""), ("", "b"), ("a:b", "c"), ("a", "b:c")], ids=repr)
    def test_of_no_halves(self, halves: tuple[str, str]) -> None:
        with pytest.raises(AuthcodeError, match="one colon"):
            Authcode.of(*halves)
