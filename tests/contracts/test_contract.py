from pathlib import Path
from typing import ClassVar

import pytest

from shim.contracts import contract
from shim.contracts.contract import ContractError
from shim.errors import CallerError
from shim.wire.qname import QName
from tests.contracts import wsdls
from tests.web import calls

BY_REPORT_DATE = "getScorelinkDataByReportDate"
OR_UNAVAILABLE = "(or set unavailable to a sentence for the callers)"
FETCH = """\
[operations.Fetch]
startdate = "fromDate"
enddate = "untilDate"
type = { value = "TOEFL" }
reportby = { value = "synthetic" }
dates = ["YYYY-MM-DD"]
"""


def refused(paths: tuple[Path, Path]) -> list[str]:
    with pytest.raises(ContractError) as caught:
        contract.load(*paths)
    return str(caught.value).splitlines()


class TestShipped:
    def test_its_operations(self) -> None:
        operations = calls.shipped().operations
        assert list(operations) == ["GetScores", BY_REPORT_DATE, "getScorelinkData", "getEDIData"]
        for name, operation in operations.items():
            assert operation.name == name
            described = operation.description
            assert described.request == QName(name, calls.NAMESPACE)
            assert described.soap_action == f"{calls.NAMESPACE}{name}"
            assert described.result_path == (
                QName(f"{name}Response", calls.NAMESPACE),
                QName(f"{name}Result", calls.NAMESPACE),
            )
            assert (described.result_type, described.qualified, described.unservable) == ("base64Binary", True, "")

    def test_its_parameters(self) -> None:
        operations = calls.shipped().operations
        assert operations["GetScores"].description.parameters == {
            "StartDate": "dateTime",
            "EndDate": "dateTime",
            "Type": "string",
            "ReportBy": "string",
        }
        assert list(operations[BY_REPORT_DATE].description.parameters) == [
            "userName",
            "password",
            "reportstartdate",
            "reportenddate",
        ]


class TestOperation:
    @pytest.mark.parametrize("element", ["GetScores", "GetScoresRequest"])
    def test_it_is_found_by_its_local_name(self, element: str) -> None:
        assert calls.shipped().operation(element).name == "GetScores"

    @pytest.mark.parametrize("element", ["getScores", "GetScoresResponse", "GetScoresRequestRequest", "Request", "x"])
    def test_there_is_no_such_operation(self, element: str) -> None:
        with pytest.raises(CallerError, match="unknown-operation"):
            calls.shipped().operation(element)

    @pytest.mark.parametrize(
        "action",
        [
            "",
            "*",
            f"{calls.NAMESPACE}GetScores",
            "urn:other/#GetScores",
            "urn:other#GetScores",
            "urn:GetScores",
            "GetScores",
            "urn:x/GetScores/",
            "urn:x/TOEFLEdmSoap/GetScoresRequest",
            "urn:something-else",
            "/",
        ],
    )
    def test_an_action_that_does_not_name_another_operation(self, action: str) -> None:
        calls.shipped().check_action(action, calls.shipped().operation("GetScores"))

    @pytest.mark.parametrize(
        "action", [BY_REPORT_DATE, f"{calls.NAMESPACE}getEDIData", "urn:x/#getEDIData", "urn:getEDIData"]
    )
    def test_an_action_that_names_another_operation(self, action: str) -> None:
        with pytest.raises(CallerError, match="action"):
            calls.shipped().check_action(action, calls.shipped().operation("GetScores"))


class TestElements:
    def test_the_wsdls_own_element_comes_first(self, tmp_path: Path) -> None:
        """``FetchRequest`` calls ``Other``, although a message-contract client of ``Fetch`` may send it too."""
        types = wsdls.wrapped() + wsdls.sequence("FetchRequest", wsdls.fields({"a": "string", "b": "string"}))
        part = '<w:message name="In2"><w:part name="parameters" element="t:FetchRequest"/></w:message>'
        second = '<w:portType name="P2"><w:operation name="Other"><w:input message="t:In2"/><w:output message="t:Out"/>'
        text = wsdls.wsdl(
            wsdls.schema(types),
            bindings=f"{part}{second}</w:operation></w:portType>"
            + wsdls.binding("B2", name="Other", port_type="P2", action="urn:o"),
            ports='<w:port name="P2" binding="t:B2"><s:address location="http://127.0.0.1:9/"/></w:port>',
        )
        loaded = contract.load(*calls.written(tmp_path, text, FETCH))
        elements = ("Fetch", "FetchRequest", "Other", "OtherRequest")
        assert [loaded.operation(element).name for element in elements] == ["Fetch", "Other", "Other", "Other"]


class TestReportBy:
    VALUES: ClassVar = {"userName": "u", "password": "p", "teststartdate": "4/21/2025", "testenddate": "4/22/2025"}

    def test_a_setting_makes_an_operation_available(self) -> None:
        loaded = contract.load(calls.WSDL, calls.MAPPING, {"getScorelinkData": "synthetic"})
        query = loaded.operation("getScorelinkData").query(self.VALUES)
        assert (query.reportby, query.type) == ("synthetic", "TOEFL")
        assert (query.start.isoformat(), query.end.isoformat()) == ("2025-04-21T00:00:00", "2025-04-22T23:59:59")
        assert loaded.operations["getEDIData"].mapping.unavailable

    def test_it_wins_over_the_mapping(self) -> None:
        loaded = contract.load(calls.WSDL, calls.MAPPING, {BY_REPORT_DATE: "synthetic"})
        values = {"reportstartdate": "4/21/2025", "reportenddate": "4/22/2025"}
        assert loaded.operation(BY_REPORT_DATE).query(values).reportby == "synthetic"

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("Other", "has no operations.Other, but contracts.reportby in the configuration names Other"),
            ("getEDIData", f"operations.getEDIData: startdate, enddate, type missing {OR_UNAVAILABLE}"),
        ],
    )
    def test_a_setting_that_does_not_fit_the_mapping_is_refused(self, name: str, reason: str) -> None:
        with pytest.raises(ContractError) as caught:
            contract.load(calls.WSDL, calls.MAPPING, {name: "synthetic"})
        assert str(caught.value) == f"{calls.MAPPING}: {reason}"


class TestWrong:
    def test_all_mistakes_are_named_at_once(self, tmp_path: Path) -> None:
        paths = calls.changed(
            tmp_path,
            ('name="GetScoresResult" type="s:base64Binary"', 'name="GetScoresResult" type="s:int"'),
            mapping=calls.GET_SCORES_MAPPING.replace("StartDate", "From").replace('"Type"', '"Test"')
            + calls.GET_SCORES_MAPPING.replace("GetScores", "Other"),
        )
        wsdl, toml = paths
        known = "StartDate, EndDate, Type, ReportBy"
        unservable = (
            "the result is of type int: only base64Binary and string can hold scores "
            "(to serve the other operations, set unavailable to a sentence for the callers of this one)"
        )
        assert refused(paths) == [
            f"{toml}: operations.GetScores.startdate: GetScores in {wsdl} has no parameter From; it has {known}",
            f"{toml}: operations.GetScores.type: GetScores in {wsdl} has no parameter Test; it has {known}",
            f"{toml}: operations.GetScores: {unservable}",
            f"{toml}: operations.Other: {wsdl} has no operation Other; it has {', '.join(calls.shipped().operations)}",
        ]

    def test_mistakes_within_the_mapping_are_passed_on(self, tmp_path: Path) -> None:
        wsdl, toml = calls.changed(tmp_path, mapping="[operations.GetScores]\n[operations.Other]\n")
        assert [reason.removeprefix(f"{toml}: ").partition(":")[0] for reason in refused((wsdl, toml))] == [
            "operations.GetScores",
            "operations.Other",
        ]

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("", id="empty"),
            pytest.param("hello", id="no XML"),
            pytest.param("<html/>", id="no WSDL"),
            pytest.param('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', id="DOCTYPE"),
        ],
    )
    def test_a_file_that_is_not_a_wsdl(self, tmp_path: Path, text: str) -> None:
        assert refused(calls.written(tmp_path, text))

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        _, toml = calls.changed(tmp_path)
        assert str(tmp_path / "nothing.wsdl") in refused((tmp_path / "nothing.wsdl", toml))[0]

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            pytest.param('type="tns:GetScoresRequest"', 'type="tns:Nothing"', id="type that is not there"),
            pytest.param('<wsdl:output message="tns:GetScoresSoapOut"/>', "", id="no output"),
        ],
    )
    def test_a_wsdl_that_cannot_be_served(self, tmp_path: Path, old: str, new: str) -> None:
        assert refused(calls.changed(tmp_path, (old, new)))


class TestOtherWsdl:
    def test_files_in_its_folder_are_read(self, tmp_path: Path) -> None:
        (tmp_path / "part.xsd").write_text(
            '<s:schema xmlns:s="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:z"/>', encoding="utf-8"
        )
        part = '<s:import namespace="urn:z" schemaLocation="part.xsd"/>'
        paths = calls.changed(tmp_path, ('<s:element name="GetScores">', f'{part}<s:element name="GetScores">'))
        assert "GetScores" in contract.load(*paths).operations

    def test_a_parameter_without_a_type_is_text(self, tmp_path: Path) -> None:
        paths = calls.changed(tmp_path, ('name="Type" type="s:string"/>', 'name="Type"/>'))
        assert "Type" in contract.load(*paths).operation("GetScores").description.parameters

    def test_a_wildcard_is_not_a_parameter(self, tmp_path: Path) -> None:
        after = 'name="Type" type="s:string"/>'
        paths = calls.changed(tmp_path, (after, f'{after}<s:any minOccurs="0"/>'))
        assert list(calls.GUIDE) == list(contract.load(*paths).operation("GetScores").description.parameters)

    def test_an_operation_that_is_not_mapped_is_unavailable(self, tmp_path: Path) -> None:
        operations = contract.load(*calls.changed(tmp_path)).operations
        with pytest.raises(CallerError, match="unavailable") as caught:
            operations["getEDIData"].query({})
        assert caught.value.detail == "the gateway's mapping leaves it out. Ask TOEFL Access by REST instead."

    def test_a_parameter_within_itself_is_ignored(self, tmp_path: Path) -> None:
        after = 'name="ReportBy" type="s:string"/>'
        again = '<s:element name="Again" type="tns:GetScoresRequest" minOccurs="0"/>'
        paths = calls.changed(tmp_path, (after, after + again))
        assert list(contract.load(*paths).operation("GetScores").description.parameters) == list(calls.GUIDE)

    def test_asmx_bindings_for_plain_http_are_ignored(self, tmp_path: Path) -> None:
        http = 'xmlns:http="http://schemas.xmlsoap.org/wsdl/http/"'
        mime = 'xmlns:mime="http://schemas.xmlsoap.org/wsdl/mime/"'
        binding = (
            f'<wsdl:binding name="Plain" type="tns:TOEFLEdmSoap"><http:binding {http} verb="POST"/>'
            f'<wsdl:operation name="GetScores"><http:operation {http} location="/GetScores"/>'
            f'<wsdl:input><mime:content {mime} type="application/x-www-form-urlencoded"/></wsdl:input>'
            f'<wsdl:output><mime:mimeXml {mime} part="Body"/></wsdl:output></wsdl:operation></wsdl:binding>'
        )
        port = f'<wsdl:port name="Plain" binding="tns:Plain"><http:address {http} location="http://127.0.0.1/"/></wsdl:port>'
        paths = calls.changed(
            tmp_path, ("<wsdl:service ", f"{binding}<wsdl:service "), ("</wsdl:service>", f"{port}</wsdl:service>")
        )
        assert contract.load(*paths).operation("GetScores").description.soap_action == f"{calls.NAMESPACE}GetScores"
