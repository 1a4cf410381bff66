import base64
import io
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from shim import errors
from shim.config import AuthcodeSettings
from shim.query import ScoreFile
from shim.upstream.authcode import Authcode, AuthcodeError
from shim.upstream.stored_authcode import StoredAuthcode
from tests.upstream.test_authcode import GOOD, encoded


def from_file(path: Path) -> AuthcodeSettings:
    return AuthcodeSettings(name="main", file=path)


def written(folder: Path, data: str | bytes = GOOD, mode: int = 0o600, name: str = "authcode") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    path.chmod(mode)
    return path


class TestFile:
    @pytest.mark.parametrize("mode", [0o400, 0o600, 0o640, 0o440])
    def test_it_is_read(self, tmp_path: Path, mode: int) -> None:
        assert StoredAuthcode(from_file(written(tmp_path, f"{GOOD}\n", mode))).current.value == GOOD

    @pytest.mark.parametrize("mode", [0o604, 0o644, 0o444, 0o777])
    def test_it_is_readable_by_everybody(self, tmp_path: Path, mode: int) -> None:
        with pytest.raises(AuthcodeError, match="chmod o-r"):
            StoredAuthcode(from_file(written(tmp_path, mode=mode)))

    def test_the_file_that_a_link_leads_to_is_looked_at(self, tmp_path: Path) -> None:
        # Kubernetes mounts secrets as links, which everybody can read.
        link = tmp_path / "link"
        link.symlink_to(written(tmp_path))
        assert StoredAuthcode(from_file(link)).current.value == GOOD

    @pytest.mark.parametrize("kind", ["nothing", "folder", "loop"])
    def test_it_cannot_be_read(self, tmp_path: Path, kind: str) -> None:
        path = tmp_path / kind
        if kind == "folder":
            path.mkdir()
        if kind == "loop":
            path.symlink_to(path)
        with pytest.raises(AuthcodeError, match="cannot be read: "):
            StoredAuthcode(from_file(path))

    @pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
    def test_it_may_not_be_read(self, tmp_path: Path) -> None:
        with pytest.raises(AuthcodeError, match="cannot be read: Permission denied"):
            StoredAuthcode(from_file(written(tmp_path, mode=0o000)))

    @pytest.mark.parametrize(
        ("data", "reason"),
        [(b"", "is empty"), (b"\xff\xfe", "is not text"), (b"synthetic-secret!", "is not base64 text")],
    )
    def test_what_is_in_it_cannot_be_used(self, tmp_path: Path, data: bytes, reason: str) -> None:
        path = written(tmp_path, data)
        with pytest.raises(AuthcodeError) as caught:
            StoredAuthcode(from_file(path))
        assert str(caught.value) == f"authcode 'main' (file {path}) {reason}"


class TestEnvironment:
    SOURCE = AuthcodeSettings(name="main", env="TOEFL_AUTHCODE")

    def test_it_is_read(self) -> None:
        assert StoredAuthcode(self.SOURCE, {"TOEFL_AUTHCODE": GOOD}).current.value == GOOD

    def test_it_is_read_from_the_process(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TOEFL_AUTHCODE", GOOD)
        assert StoredAuthcode(self.SOURCE).current.value == GOOD

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
            StoredAuthcode(self.SOURCE, environ)
        assert str(caught.value) == f"authcode 'main' (environment variable TOEFL_AUTHCODE) {reason}"


@pytest.mark.parametrize("text", ["planted!", encoded(b"planted"), encoded(b"planted:b:c"), "\u00e9-planted"])
def test_no_reason_tells_the_authcode(text: str) -> None:
    with pytest.raises(AuthcodeError) as caught:
        StoredAuthcode(TestEnvironment.SOURCE, {"TOEFL_AUTHCODE": text})
    assert "planted" not in str(caught.value)
    assert text not in str(caught.value)
    assert caught.value.__suppress_context__


FIRST, NEXT, THIRD = (encoded(f"synthetic-id:synthetic-{name}".encode()) for name in ("first", "next", "third"))


class Upstream:
    """Takes some authcodes, and answers or refuses."""

    def __init__(self, *taken: str) -> None:
        self.taken = set(taken)
        self.asked: list[str] = []
        self.broken: errors.Cause | None = None

    def __call__(self, authcode: Authcode) -> ScoreFile:
        self.asked.append(authcode.value)
        if self.broken is not None:
            raise self.broken.error()
        if authcode.value not in self.taken:
            raise errors.UPSTREAM_AUTHCODE.error(note="HTTP 401")
        return ScoreFile(io.BytesIO(), 0, 0)


class TestUse:
    @pytest.fixture
    def main(self, tmp_path: Path) -> Path:
        return written(tmp_path, FIRST)

    @pytest.fixture
    def following(self, main: Path) -> Path:
        return written(main.parent, NEXT, name="next")

    @pytest.fixture
    def alone(self, main: Path) -> StoredAuthcode:
        return StoredAuthcode(AuthcodeSettings(name="main", file=main))

    @pytest.fixture
    def followed(self, main: Path, following: Path) -> StoredAuthcode:
        return StoredAuthcode(AuthcodeSettings(name="main", file=main, next_file=following))

    def test_the_first_while_it_is_taken(self, followed: StoredAuthcode) -> None:
        upstream = Upstream(FIRST, NEXT)
        followed.use(upstream)
        followed.use(upstream)
        assert upstream.asked == [FIRST, FIRST]

    def test_the_next_once_the_first_is_refused_and_one_warning_says_so(self, followed: StoredAuthcode) -> None:
        upstream = Upstream(NEXT)
        with capture_logs() as lines:
            for _ in range(3):
                followed.use(upstream)
        assert upstream.asked == [FIRST, NEXT, NEXT, NEXT]
        ((level, note),) = [(line["log_level"], line["note"]) for line in lines]
        assert (level, note) == ("warning", "main was refused; the next one is in use: make it the first")

    def test_the_next_is_made_the_first(self, followed: StoredAuthcode, main: Path, following: Path) -> None:
        upstream = Upstream(NEXT)
        followed.use(upstream)
        os.replace(following, main)  # noqa: PTH105 - as mv does
        upstream.asked.clear()
        followed.use(upstream)
        assert upstream.asked == [NEXT]

    def test_a_new_first_is_used_again(self, followed: StoredAuthcode, main: Path) -> None:
        upstream = Upstream(NEXT)
        followed.use(upstream)
        main.write_text(THIRD)
        upstream.taken = {THIRD}
        upstream.asked.clear()
        followed.use(upstream)
        assert upstream.asked == [THIRD]

    def test_a_file_that_changed_during_the_call_is_tried(self, alone: StoredAuthcode, main: Path) -> None:
        upstream = Upstream(THIRD)

        def call(authcode: Authcode) -> ScoreFile:
            if authcode.value == FIRST:
                main.write_text(THIRD)
            return upstream(authcode)

        with capture_logs() as lines:
            alone.use(call)
        assert upstream.asked == [FIRST, THIRD]
        assert [line["log_level"] for line in lines] == ["info"]

    def test_all_are_refused_and_one_error_says_so(self, followed: StoredAuthcode) -> None:
        upstream = Upstream()
        with capture_logs() as lines:
            for _ in range(5):
                with pytest.raises(errors.OperatorError) as caught:
                    followed.use(upstream)
                assert caught.value.cause is errors.UPSTREAM_AUTHCODE
        assert upstream.asked == [FIRST, NEXT] * 5
        (line,) = lines
        assert (line["log_level"], line["note"]) == ("error", "main was refused")
        assert line["advice"] == errors.UPSTREAM_AUTHCODE.advice

    def test_when_it_was_taken_between_it_is_said_again(self, alone: StoredAuthcode) -> None:
        upstream = Upstream()
        with capture_logs() as lines:
            for taken in ((), (), (FIRST,), (), ()):
                upstream.taken = set(taken)
                try:
                    alone.use(upstream)
                except errors.OperatorError:
                    assert not taken
        assert [line["log_level"] for line in lines] == ["error", "error"]

    @pytest.mark.parametrize(
        "cause",
        [errors.UPSTREAM_FORBIDDEN, errors.UPSTREAM_FAILED, errors.UPSTREAM_TIMEOUT],
        ids=lambda one: str(one.slug),
    )
    def test_another_failure_is_no_reason_to_try_the_next(self, followed: StoredAuthcode, cause: errors.Cause) -> None:
        upstream = Upstream(FIRST)
        upstream.broken = cause
        with pytest.raises(errors.GatewayError) as caught:
            followed.use(upstream)
        assert caught.value.cause is cause
        assert upstream.asked == [FIRST]

    def test_both_prove_who_a_caller_is(self, followed: StoredAuthcode) -> None:
        assert [authcode.value for authcode in followed.accepted] == [FIRST, NEXT]


class TestChange:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return written(tmp_path, FIRST)

    @pytest.fixture
    def stored(self, path: Path) -> StoredAuthcode:
        return StoredAuthcode(from_file(path))

    def test_it_is_read_again(self, stored: StoredAuthcode, path: Path) -> None:
        with capture_logs() as lines:
            path.write_text(NEXT)
            assert [stored.current.value for _ in range(3)] == [NEXT] * 3
        assert [line["note"] for line in lines] == ["main was read again"]

    def test_through_the_links_of_kubernetes(self, tmp_path: Path) -> None:
        for day, value in (("1", FIRST), ("2", NEXT)):
            (tmp_path / day).mkdir()
            written(tmp_path / day, value)
        (tmp_path / "data").symlink_to("1")
        (tmp_path / "link").symlink_to("data/authcode")
        stored = StoredAuthcode(from_file(tmp_path / "link"))
        assert stored.current.value == FIRST
        (tmp_path / "data_tmp").symlink_to("2")
        (tmp_path / "data_tmp").rename(tmp_path / "data")
        assert stored.current.value == NEXT

    @pytest.mark.parametrize(
        ("spoil", "reason"),
        [
            pytest.param(lambda path: path.write_text(""), "is empty", id="empty"),
            pytest.param(lambda path: path.write_text("\n"), "is empty", id="a blank line"),
            pytest.param(lambda path: path.write_text(NEXT[:-3]), "is not base64 text", id="half-written"),
            pytest.param(lambda path: path.write_text(encoded(b"synthetic")), "one colon", id="malformed"),
            pytest.param(lambda path: path.write_bytes(b"\xff\xfe"), "is not text", id="not text"),
            pytest.param(lambda path: path.unlink(), "cannot be read", id="gone"),
            pytest.param(lambda path: (path.unlink(), path.mkdir()), "cannot be read", id="a folder"),
            pytest.param(lambda path: (path.write_text(NEXT), path.chmod(0o644)), "readable by everybody", id="public"),
        ],
    )
    def test_the_last_good_value_stays_and_one_warning_says_why(
        self, stored: StoredAuthcode, path: Path, spoil: Callable[[Path], object], reason: str
    ) -> None:
        with capture_logs() as lines:
            spoil(path)
            assert [stored.current.value for _ in range(3)] == [FIRST] * 3
        (line,) = lines
        assert line["log_level"] == "warning"
        assert reason in line["note"]
        assert line["note"].endswith("; the last good value stays in use")
        assert "synthetic" not in line["note"]

    def test_what_was_spoilt_is_read_once_it_is_good(self, stored: StoredAuthcode, path: Path) -> None:
        for text in ("", NEXT[:-3], NEXT):
            path.write_text(text)
            assert stored.current.value == (NEXT if text == NEXT else FIRST)

    def test_its_age(self, stored: StoredAuthcode, path: Path) -> None:
        then = time.time() - 1000
        os.utime(path, (then, then))
        assert stored.current.value == FIRST
        assert stored.age is not None
        assert 1000 <= stored.age < 1100

    def test_one_of_the_environment_has_no_age(self) -> None:
        assert StoredAuthcode(TestEnvironment.SOURCE, {"TOEFL_AUTHCODE": GOOD}).age is None

    def test_no_thread_takes_the_old_value_for_the_new_one(self, stored: StoredAuthcode, path: Path) -> None:
        # While one thread reads the new value, another asks.
        reading, asked = threading.Event(), threading.Event()
        parse = Authcode.parse

        def slow(text: str) -> Authcode:
            reading.set()
            asked.wait(0.2)
            return parse(text)

        path.write_text(NEXT)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Authcode, "parse", slow)
            first = threading.Thread(target=lambda: stored.current)
            first.start()
            assert reading.wait(5)
            found = stored.current.value
            asked.set()
            first.join()
        assert found == NEXT


def test_nothing_has_a_representation_that_tells_it(tmp_path: Path) -> None:
    path = written(tmp_path, FIRST)
    stored = StoredAuthcode(AuthcodeSettings(name="main", file=path, next_file=path))
    shown = f"{stored!r} {stored} {vars(stored)!r} {stored.current!r} {stored.accepted!r}"
    assert FIRST not in shown
    assert "synthetic" not in shown


class TestFollowing:
    """The file of the next authcode need not be there yet, nor any more."""

    def test_it_may_come_and_go(self, tmp_path: Path) -> None:
        after = base64.b64encode(b"synthetic-id:synthetic-next").decode()
        first, following = tmp_path / "first", tmp_path / "next"
        for path, text in ((first, GOOD), (tmp_path / "made", after)):
            path.write_text(text)
            path.chmod(0o600)
        stored = StoredAuthcode(AuthcodeSettings(name="main", file=first, next_file=following))
        assert [one.value for one in stored.accepted] == [GOOD]
        (tmp_path / "made").rename(following)
        assert [one.value for one in stored.accepted] == [GOOD, after]
        following.unlink()
        assert [one.value for one in stored.accepted] == [GOOD]
        following.write_text("half")
        assert [one.value for one in stored.accepted] == [GOOD]
