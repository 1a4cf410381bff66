import re
from pathlib import Path

import pytest

from tests.config.files import GOOD, loaded, refused


class TestContracts:
    @pytest.mark.parametrize("key", ["path", "wsdl_path"])
    @pytest.mark.parametrize("path", ["", "scores", "/a b", "/a?b", "/a#b", "/a\\n", "http://example.edu/a"])
    def test_a_wrong_path_is_refused(self, tmp_path: Path, key: str, path: str) -> None:
        (line,) = refused(tmp_path, f'{GOOD}\n[[contracts]]\n{key} = "{path}"')
        assert line.startswith(f"contracts.0.{key}: ")

    @pytest.mark.parametrize(
        "contracts",
        [
            pytest.param('[[contracts]]\n[[contracts]]\npath = "/b"', id="two WSDLs"),
            pytest.param('[[contracts]]\n[[contracts]]\nwsdl_path = "/b"', id="two services"),
            pytest.param('[[contracts]]\npath = "/a"\nwsdl_path = "/a"', id="a service and its WSDL"),
            pytest.param('[[contracts]]\npath = "/a"\nwsdl_path = "/A"', id="in another case"),
        ],
    )
    def test_paths_are_distinct(self, tmp_path: Path, contracts: str) -> None:
        (line,) = refused(tmp_path, f"{GOOD}\n{contracts}")
        assert re.match("contracts: /[^ ]+ is used twice: ", line)


def test_reportby_is_set_by_operation(tmp_path: Path) -> None:
    assert loaded(tmp_path).contracts[0].reportby == {}
    found = loaded(tmp_path, f'{GOOD}[[contracts]]\n[contracts.reportby]\ngetScorelinkData = "synthetic"\n')
    assert found.contracts[0].reportby == {"getScorelinkData": "synthetic"}
