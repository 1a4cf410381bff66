import os
from pathlib import Path

import pytest

from tests.cli.commands import good_config, invoke, said
from tests.contracts import wsdls
from tests.web import calls


class TestContract:
    def test_without_a_config_it_shows_the_shipped_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in os.environ:
            if name.startswith("TOEFL_SHIM_"):
                monkeypatch.delenv(name)
        shown = invoke(["contract"], env={"COLUMNS": "240"})
        assert shown.exit_code == 0
        for words in (
            "/TOEFLWebService/TOEFLEdm.asmx",
            "GetScores",
            "https://ets.org/edm/webservices/",
            "StartDate → startdate",
            "always scorelinkbyreportdate → reportby",
            "GetScoresResult: base64Binary",
            "in-band",
            "not answered: TOEFL Access has no EDI form.",
        ):
            assert words in said(shown.output)

    def test_the_contracts_of_a_config(self, tmp_path: Path, authcode_file: Path) -> None:
        calls.written(tmp_path, wsdls.wsdl(), '[operations.Fetch]\nunavailable = "[red]gone"')
        more = '[[contracts]]\npath = "/a.asmx"\nwsdl = "legacy.wsdl"\n[[contracts]]\npath = "/b.asmx"\n'
        path = Path(good_config(tmp_path))
        reportby = 'wsdl_path = "/b.wsdl"\n[contracts.reportby]\ngetScorelinkData = "synthetic"\n'
        path.write_text(path.read_text(encoding="utf-8") + more + reportby, encoding="utf-8")
        shown = invoke(["contract", "-c", str(path)], env={"COLUMNS": "240"})
        assert shown.exit_code == 0
        assert "not answered: [red]gone" in said(shown.output)
        assert "always synthetic → reportby" in said(shown.output)

    def test_a_wrong_contract_is_refused(self, tmp_path: Path, authcode_file: Path) -> None:
        calls.written(tmp_path, wsdls.wsdl(), '[operations.Other]\nunavailable = "gone"')
        path = Path(good_config(tmp_path))
        path.write_text(path.read_text(encoding="utf-8") + '[[contracts]]\nwsdl = "legacy.wsdl"\n', encoding="utf-8")
        shown = invoke(["contract", "-c", str(path)])
        assert (shown.exit_code, "refused" in shown.output) == (1, True)
        assert "no operation Other" in said(shown.output)
