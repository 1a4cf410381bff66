"""The arithmetic of deploy/CAPACITY.md, and the page itself."""

import pytest

from bench import capacity
from bench.capacity import Cost
from tests.deploy.tools import ROOT

_RESULTS = (ROOT / "bench" / "RESULTS.md").read_text(encoding="utf-8")


def test_the_page_has_the_table_of_the_results() -> None:
    page = capacity.PAGE.read_text(encoding="utf-8")
    _, _, rest = page.partition(capacity.BEGIN)
    assert rest.partition(capacity.END)[0].strip() == capacity.table(capacity.measured(_RESULTS)).strip()


def test_a_larger_file_costs_more_by_its_size() -> None:
    cost = Cost(call=1.0, megabyte=2.0)
    assert cost.of(1) == 1.0
    assert cost.of(626) == pytest.approx(1.0 + 2.0)


def test_a_core_is_used_to_six_tenths() -> None:
    lines = capacity.table(Cost(call=0.5, megabyte=2.0)).splitlines()
    assert next(line for line in lines if line.startswith("| one core |")).startswith("| one core | 1,200 |")


def test_results_without_figures_are_refused() -> None:
    with pytest.raises(ValueError, match="no figures"):
        capacity.measured("# Results")
