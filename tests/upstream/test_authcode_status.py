import time
from pathlib import Path

from shim.upstream.authcode_status import AuthcodeStatus, AuthcodeStatuses


def test_nothing_is_known_at_first(tmp_path: Path) -> None:
    assert AuthcodeStatuses(tmp_path).of("main") == AuthcodeStatus(None, None)


def test_a_success_is_known_in_all_workers(tmp_path: Path) -> None:
    before = time.time()
    AuthcodeStatuses(tmp_path).succeeded("main")
    standing = AuthcodeStatuses(tmp_path).of("main")
    assert standing.last_success is not None
    assert before - 1 <= standing.last_success <= time.time()
    assert not standing.is_refused
    assert AuthcodeStatuses(tmp_path).of("other") == AuthcodeStatus(None, None)


def test_a_refusal_stands_until_the_next_success(tmp_path: Path) -> None:
    worker, other = AuthcodeStatuses(tmp_path), AuthcodeStatuses(tmp_path)
    worker.succeeded("main")
    other.refused("main")
    assert worker.of("main").is_refused
    time.sleep(0.01)
    other.succeeded("main")
    assert not worker.of("main").is_refused


def test_a_name_is_no_path(tmp_path: Path) -> None:
    AuthcodeStatuses(tmp_path / ".").succeeded("../../etc/x")
    assert len(list(tmp_path.iterdir())) == 1
    assert AuthcodeStatuses(tmp_path).of("../../etc/x").last_success
