"""Secrets that are typed: through a pseudo-terminal, as a person does, and through a pipe, as a script does."""

import os
import pty
import re
import select
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Final

import pytest
from argon2 import PasswordHasher

from shim.upstream.authcode import Authcode
from tests.access.offers import OWN_PASSWORD, SECRET

_PATIENCE: Final = 20.0
_COMMAND: Final = [sys.executable, "-m", "shim"]


def typed(arguments: list[str], *answers: tuple[str, str]) -> tuple[int, str]:
    """Run a command on a terminal, answer its questions, and give its status and all that the terminal showed."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*_COMMAND, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=os.environ | {"TERM": "dumb"}
    ) as process:
        os.close(theirs)
        shown = ""
        for question, answer in answers:
            shown += _read(ours, question)
            shown_in_ps = Path(f"/proc/{process.pid}/cmdline").read_text()
            assert answer not in shown_in_ps
            os.write(ours, f"{answer}\n".encode())
        shown += _read(ours, None)
        os.close(ours)
        return process.wait(_PATIENCE), shown


def _read(terminal: int, until: str | None) -> str:
    """Read up to a question, or to the end."""
    data, deadline = b"", time.monotonic() + _PATIENCE
    while until is None or until not in data.decode(errors="replace"):
        ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
        assert ready, f"the command waits after: {data!r}"
        try:
            part = os.read(terminal, 65536)
        except OSError:  # how a terminal ends on Linux
            part = b""
        if not part:
            assert until is None, f"the command ended after: {data!r}"
            break
        data += part
    return data.decode()


def piped(arguments: list[str], data: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*_COMMAND, *arguments], input=data, capture_output=True, text=True, check=False)


class TestCallersAdd:
    def test_a_typed_password_is_not_shown_and_hashed(self) -> None:
        status, shown = typed(
            ["callers", "add", "import", "registrar"], ("Password: ", OWN_PASSWORD), ("confirmation: ", OWN_PASSWORD)
        )
        assert status == 0
        assert OWN_PASSWORD not in shown
        (entry,) = tomllib.loads(shown[shown.index("[[callers]]") :].replace("\r\n", "\n"))["callers"]
        assert PasswordHasher().verify(entry.pop("password_hash"), OWN_PASSWORD)
        assert entry == {"name": "import", "credentials": "own", "user": "registrar"}

    def test_two_different_passwords_are_asked_for_again(self) -> None:
        twice = ("Password: ", OWN_PASSWORD), ("confirmation: ", OWN_PASSWORD)
        first = ("Password: ", "another"), ("confirmation: ", "yet another")
        status, shown = typed(["callers", "add", "import", "registrar"], *first, *twice)
        assert status == 0
        assert "another" not in shown
        assert OWN_PASSWORD not in shown

    @pytest.mark.parametrize("name", ['quo"ted', "back\\slash", "üñî", "\U0001f393", "new\nline"], ids=ascii)
    def test_the_entry_is_toml_whatever_the_name(self, name: str) -> None:
        ran = piped(["callers", "add", name, name], f"{OWN_PASSWORD}\n")
        (entry,) = tomllib.loads(ran.stdout)["callers"]
        assert (entry["name"], entry["user"]) == (name, name)
        assert OWN_PASSWORD not in ran.stdout + ran.stderr

    @pytest.mark.parametrize("data", ["", "\n"], ids=["end", "blank line"])
    def test_no_password_is_refused(self, data: str) -> None:
        ran = piped(["callers", "add", "import", "registrar"], data)
        assert (ran.returncode, ran.stdout) == (1, "")


class TestAuthcode:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        return tmp_path / "authcode"

    def test_a_typed_secret_is_not_shown_and_written_for_its_owner_alone(self, file: Path) -> None:
        previous = os.umask(0)
        try:
            status, shown = typed(
                ["authcode", "encode", str(file)],
                ("Client id: ", "synthetic-id"),
                ("Client secret: ", SECRET),
                ("confirmation: ", SECRET),
            )
        finally:
            os.umask(previous)
        authcode = Authcode.of("synthetic-id", SECRET).value
        assert status == 0
        assert file.read_text() == f"{authcode}\n"
        assert file.stat().st_mode & 0o777 == 0o600
        assert not [secret for secret in (SECRET, authcode) if secret in shown]
        inspected = piped(["authcode", "inspect", str(file)], "")
        assert inspected.returncode == 0
        assert re.search(r"authcode is well-formed, and not readable by everybody\n$", inspected.stdout)
        assert not [secret for secret in (SECRET, authcode) if secret in inspected.stdout + inspected.stderr]

    def test_an_existing_file_is_kept(self, file: Path) -> None:
        file.write_text("kept")
        ran = piped(["authcode", "encode", "--id", "a", str(file)], f"{SECRET}\n")
        assert (ran.returncode, file.read_text()) == (1, "kept")
        assert SECRET not in ran.stdout + ran.stderr

    @pytest.mark.parametrize(("client", "secret"), [("a", f"{SECRET}:b"), (f"{SECRET}:b", "c"), ("a", "")])
    def test_what_makes_no_authcode_is_refused(self, file: Path, client: str, secret: str) -> None:
        ran = piped(["authcode", "encode", "--id", client, str(file)], f"{secret}\n")
        assert (ran.returncode, file.exists()) == (1, False)
        assert SECRET not in ran.stdout + ran.stderr

    @pytest.mark.parametrize(
        ("text", "mode", "reason"),
        [
            (Authcode.of("a", SECRET).value, 0o644, "is readable by everybody"),
            ("", 0o600, "is empty"),
            (SECRET, 0o600, "is not base64 text"),
            (Authcode.of("a", SECRET).value[:-1], 0o600, "is not base64 text"),
            ("c3ludGhldGljLXNlY3JldA==", 0o600, "one colon between"),
        ],
        ids=["public", "empty", "not encoded", "cut", "no colon"],
    )
    def test_inspect_tells_what_is_wrong_without_the_authcode(
        self, file: Path, text: str, mode: int, reason: str
    ) -> None:
        file.write_text(text)
        file.chmod(mode)
        ran = piped(["authcode", "inspect", str(file)], "")
        assert ran.returncode == 1
        assert reason in " ".join(ran.stderr.split())
        assert not text or text not in ran.stdout + ran.stderr
