import time
from pathlib import Path

from shim.access.standing import Standing, Standings


def test_nothing_is_known_at_first(tmp_path: Path) -> None:
    assert Standings(tmp_path).of("main") == Standing(None, None)


def test_a_success_is_known_in_all_workers(tmp_path: Path) -> None:
    before = time.time()
    Standings(tmp_path).succeeded("main")
    standing = Standings(tmp_path).of("main")
    assert standing.last_success is not None
    assert before - 1 <= standing.last_success <= time.time()
    assert not standing.is_refused
    assert Standings(tmp_path).of("other") == Standing(None, None)


def test_a_refusal_stands_until_the_next_success(tmp_path: Path) -> None:
    worker, other = Standings(tmp_path), Standings(tmp_path)
    worker.succeeded("main")
    other.refused("main")
    assert worker.of("main").is_refused
    time.sleep(0.01)
    other.succeeded("main")
    assert not worker.of("main").is_refused


def test_a_name_is_no_path(tmp_path: Path) -> None:
    Standings(tmp_path / ".").succeeded("../../etc/x")
    assert len(list(tmp_path.iterdir())) == 1
    assert Standings(tmp_path).of("../../etc/x").last_success
