import base64
import os
from pathlib import Path

import pytest

from shim.access.authcodes import Authcode, AuthcodeError, load
from shim.config import AuthcodeSource

GOOD = base64.b64encode(b"synthetic-id:synthetic-secret").decode()


def encoded(halves: bytes) -> str:
    return base64.b64encode(halves).decode()


def from_file(path: Path) -> AuthcodeSource:
    return AuthcodeSource(name="main", file=path)


def written(folder: Path, data: str | bytes = GOOD, mode: int = 0o600) -> Path:
    path = folder / "authcode"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    path.chmod(mode)
    return path


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


class TestFile:
    @pytest.mark.parametrize("mode", [0o400, 0o600, 0o640, 0o440])
    def test_it_is_read(self, tmp_path: Path, mode: int) -> None:
        assert load(from_file(written(tmp_path, f"{GOOD}\n", mode))).value == GOOD

    @pytest.mark.parametrize("mode", [0o604, 0o644, 0o444, 0o777])
    def test_it_is_readable_by_everybody(self, tmp_path: Path, mode: int) -> None:
        with pytest.raises(AuthcodeError, match="chmod o-r"):
            load(from_file(written(tmp_path, mode=mode)))

    def test_the_file_that_a_link_leads_to_is_looked_at(self, tmp_path: Path) -> None:
        # Kubernetes mounts secrets as links, which everybody can read.
        link = tmp_path / "link"
        link.symlink_to(written(tmp_path))
        assert load(from_file(link)).value == GOOD

    @pytest.mark.parametrize("kind", ["nothing", "folder", "loop"])
    def test_it_cannot_be_read(self, tmp_path: Path, kind: str) -> None:
        path = tmp_path / kind
        if kind == "folder":
            path.mkdir()
        if kind == "loop":
            path.symlink_to(path)
        with pytest.raises(AuthcodeError, match="cannot be read: "):
            load(from_file(path))

    @pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
    def test_it_may_not_be_read(self, tmp_path: Path) -> None:
        with pytest.raises(AuthcodeError, match="cannot be read: Permission denied"):
            load(from_file(written(tmp_path, mode=0o000)))

    @pytest.mark.parametrize(
        ("data", "reason"),
        [(b"", "is empty"), (b"\xff\xfe", "is not base64 text"), (b"synthetic-secret!", "is not base64 text")],
    )
    def test_what_is_in_it_cannot_be_used(self, tmp_path: Path, data: bytes, reason: str) -> None:
        path = written(tmp_path, data)
        with pytest.raises(AuthcodeError) as caught:
            load(from_file(path))
        assert str(caught.value) == f"authcode 'main' (file {path}) {reason}"


class TestEnvironment:
    SOURCE = AuthcodeSource(name="main", env="TOEFL_AUTHCODE")

    def test_it_is_read(self) -> None:
        assert load(self.SOURCE, {"TOEFL_AUTHCODE": GOOD}).value == GOOD

    def test_it_is_read_from_the_process(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TOEFL_AUTHCODE", GOOD)
        assert load(self.SOURCE).value == GOOD

    @pytest.mark.parametrize(
        ("environ", "reason"),
        [
            ({}, "is not set"),
            ({"TOEFL_AUTHCODE": ""}, "is empty"),
            ({"TOEFL_AUTHCODE": "synthetic-secret!"}, "is not base64 text"),
        ],
        ids=["absent", "empty", "no authcode"],
    )
    def test_it_cannot_be_used(self, environ: dict[str, str], reason: str) -> None:
        with pytest.raises(AuthcodeError) as caught:
            load(self.SOURCE, environ)
        assert str(caught.value) == f"authcode 'main' (environment variable TOEFL_AUTHCODE) {reason}"


@pytest.mark.parametrize("text", ["planted!", encoded(b"planted"), encoded(b"planted:b:c"), "\u00e9-planted"])
def test_no_reason_tells_the_authcode(text: str) -> None:
    with pytest.raises(AuthcodeError) as caught:
        load(TestEnvironment.SOURCE, {"TOEFL_AUTHCODE": text})
    assert "planted" not in str(caught.value)
    assert text not in str(caught.value)
    assert caught.value.__suppress_context__
