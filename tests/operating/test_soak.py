"""A short soak, and proof that a long one would report growth."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from bench import growth, soak
from bench.growth import Sample

_SECONDS = 20 if os.environ.get("CI") == "true" else 7
_LEVEL = Sample(0, 0, 120, 60, 70, 60, 6, 14)


def test_nothing_grows_in_a_few_seconds(tmp_path: Path) -> None:
    found = soak.run(_SECONDS, tmp_path / "soak")
    assert found.wrong == []
    assert found.tally.calls > 100
    assert len({kind for kind, _ in found.tally.told}) > 20
    growth.write(found.samples, tmp_path / "soak.csv")
    assert len((tmp_path / "soak.csv").read_text(encoding="utf-8").splitlines()) == len(found.samples) + 1


def _hour(**more: float) -> list[Sample]:
    """Return the samples of an hour in which a figure grows steadily by so much."""
    return [
        replace(
            _LEVEL,
            seconds=second,
            **{name: getattr(_LEVEL, name) + grown * second / 3600 for name, grown in more.items()},
        )
        for second in range(3600)
    ]


@pytest.mark.parametrize(
    ("name", "grown", "is_too_much"),
    [
        ("rss", 4, False),
        ("rss", 20, True),
        ("pss", 20, True),
        ("pss", -50, False),
        ("server_rss", 4, True),
        ("descriptors", 20, True),
        ("threads", 9, True),
        ("files", 6, True),
    ],
)
def test_growth_is_reported(name: str, grown: float, is_too_much: bool) -> None:
    found = {one.name: one for one in growth.judged(_hour(**{name: grown}))}
    assert found.pop(name).is_too_much == is_too_much
    assert not any(one.is_too_much for one in found.values())


def test_a_warm_up_and_peaks_are_not_growth() -> None:
    samples = _hour()
    samples[:500] = [replace(sample, rss=50) for sample in samples[:500]]
    samples[3000::60] = [replace(sample, rss=900, descriptors=500) for sample in samples[3000::60]]
    assert not any(one.is_too_much for one in growth.judged(samples))
