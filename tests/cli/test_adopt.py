from pathlib import Path

import pytest

from shim.contracts import contract
from tests.cli.commands import invoke, said
from tests.contracts import wsdls
from tests.web import calls


class TestAdopt:
    def test_it_writes_beside_the_wsdl_and_asks_what_to_decide(self, tmp_path: Path) -> None:
        path = tmp_path / "Registrar.Scores.wsdl"
        path.write_text(wsdls.wsdl(), encoding="utf-8")
        shown = invoke(["adopt", str(path)])
        mapping = tmp_path / "Registrar.Scores.toml"
        assert shown.exit_code == 0
        assert f"Wrote {mapping}" in said(shown.output)
        assert "decide Fetch: fromDate and untilDate are text: set dates" in said(shown.output)
        assert contract.load(path, mapping).operation("Fetch")

    def test_an_edited_mapping_is_only_overwritten_by_force(self, tmp_path: Path) -> None:
        path, mapping = calls.written(tmp_path, wsdls.wsdl(), "# mine")
        shown = invoke(["adopt", str(path)])
        assert shown.exit_code == 1
        assert "was edited, so it is left as it is: --force overwrites it" in said(shown.output)
        assert mapping.read_text(encoding="utf-8") == "# mine"
        assert invoke(["adopt", "--force", str(path)]).exit_code == 0
        assert contract.load(path, mapping).operation("Fetch")

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            pytest.param("<html/>", "has no SOAP port with an operation", id="no WSDL"),
            pytest.param(
                wsdls.wsdl(wsdls.schema(wsdls.wrapped(result=wsdls.fields({"FetchResult": "int"})))),
                "Fetch: the result is of type int",
                id="unservable",
            ),
            pytest.param(
                wsdls.wsdl(imports='<w:import namespace="urn:z" location="[red]z.wsdl"/>'),
                "needs the file [red]z.wsdl, which is not in its folder",
                id="missing import",
            ),
        ],
    )
    def test_a_wsdl_that_cannot_be_served_is_refused(self, tmp_path: Path, text: str, reason: str) -> None:
        path = tmp_path / "legacy.wsdl"
        path.write_text(text, encoding="utf-8")
        shown = invoke(["adopt", str(path)])
        assert (shown.exit_code, "refused" in shown.output) == (1, True)
        assert reason in said(shown.output)
        assert list(tmp_path.iterdir()) == [path]

    def test_a_missing_file_is_refused(self, tmp_path: Path) -> None:
        shown = invoke(["adopt", str(tmp_path / "none.wsdl")])
        assert (shown.exit_code, "refused" in shown.output) == (1, True)
