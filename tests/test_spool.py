import tempfile
from pathlib import Path

import pytest

from shim.errors import OperatorError
from shim.spool import SpoolQuota

_KIBIBYTE = 1024


def test_what_is_written_is_read_back() -> None:
    data = bytes(range(256)) * 1024
    with SpoolQuota(len(data)).spooling() as spool:
        for start in range(0, len(data), 1000):
            spool.write(data[start : start + 1000])
        spool.seek(0)
    with spool:
        assert spool.read() == data


def test_small_files_stay_in_memory_and_others_go_to_the_folder(tmp_path: Path) -> None:
    with SpoolQuota(_KIBIBYTE, tmp_path / "nothing").spooling() as spool:
        spool.write(b"x")
    spool.close()
    with (
        pytest.raises(OperatorError, match="spool"),
        SpoolQuota(1024 * _KIBIBYTE, tmp_path / "nothing").spooling() as spool,
    ):
        spool.write(b"x" * 65 * _KIBIBYTE)
    assert spool.closed


def test_a_file_has_no_name(tmp_path: Path) -> None:
    with SpoolQuota(1024 * _KIBIBYTE, tmp_path).spooling() as spool:
        spool.write(b"x" * 65 * _KIBIBYTE)
        assert not list(tmp_path.iterdir())
    spool.close()


def test_the_quota_is_shared_by_all_spools() -> None:
    quota = SpoolQuota(10)
    with quota.spooling() as first:
        first.write(b"x" * 6)
    with pytest.raises(OperatorError) as caught, quota.spooling() as second:
        second.write(b"x" * 5)
    assert (caught.value.cause.slug, caught.value.note) == ("spool", "spool.max_bytes is used up")
    assert (second.closed, quota.held) == (True, 6)
    first.close()
    first.close()
    assert quota.held == 0


def test_the_bytes_are_released_when_filling_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    quota = SpoolQuota(10)
    with pytest.raises(TypeError), quota.spooling() as spool:
        spool.write(b"x" + spool.read)  # type: ignore[operator]
    assert quota.held == 0
    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "write", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(OperatorError) as caught, quota.spooling() as spool:
        spool.write(b"x")
    assert (caught.value.note, quota.held) == ("full", 0)
