import re
import socket
from pathlib import Path
from typing import NoReturn

import pytest

from shim.errors import CallerError
from shim.query import ScoreQuery
from shim.soap import contract, envelope
from shim.soap.contract import ContractError
from tests.soap import calls

BY_REPORT_DATE = "getScorelinkDataByReportDate"


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
            assert operation.namespace == calls.NAMESPACE
            assert operation.soap_action == f"{calls.NAMESPACE}{name}"
            assert (operation.response, operation.result) == (f"{name}Response", f"{name}Result")

    def test_its_parameters(self) -> None:
        operations = calls.shipped().operations
        found = {parameter.name: parameter.type for parameter in operations["GetScores"].parameters.values()}
        assert found == {"StartDate": "dateTime", "EndDate": "dateTime", "Type": "string", "ReportBy": "string"}
        assert list(operations[BY_REPORT_DATE].parameters) == [
            "userName",
            "password",
            "reportstartdate",
            "reportenddate",
        ]


class TestOperation:
    @pytest.mark.parametrize("root", ["GetScores", "GetScoresRequest"])
    def test_it_is_found_by_its_local_name(self, root: str) -> None:
        assert calls.shipped().operation(root).name == "GetScores"

    @pytest.mark.parametrize("root", ["getScores", "GetScoresResponse", "GetScoresRequestRequest", "Request", "x"])
    def test_there_is_no_such_operation(self, root: str) -> None:
        with pytest.raises(CallerError, match="unknown-operation"):
            calls.shipped().operation(root)

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

    @pytest.mark.parametrize(
        ("body", "response", "namespace", "qualified"),
        [
            pytest.param(calls.get_scores(), "GetScoresResponse", calls.NAMESPACE, True, id="wrapped"),
            pytest.param(
                '<GetScoresRequest xmlns="urn:x"><Type/></GetScoresRequest>',
                "GetScoresResponse",
                "urn:x",
                True,
                id="bare",
            ),
            pytest.param(
                '<p:GetScores xmlns:p="urn:x"><Type/></p:GetScores>',
                "GetScoresResponse",
                "urn:x",
                False,
                id="unqualified",
            ),
        ],
    )
    def test_its_wrapper_is_in_the_words_of_the_call(
        self,
        body: str,
        response: str,
        namespace: str,
        qualified: bool,
    ) -> None:
        call = envelope.parse(calls.envelope(body).encode(), "").call()
        wrapper = calls.shipped().operation(call.root).wrapper(call)
        assert (wrapper.response, wrapper.result) == (response, "GetScoresResult")
        assert (wrapper.namespace, wrapper.qualified) == (namespace, qualified)
        assert wrapper.action == f"{calls.NAMESPACE}GetScoresResponse"

    def test_an_operation_of_no_soap_action_still_has_a_reply_action(self, tmp_path: Path) -> None:
        text = re.sub(r'soapAction="[^"]*" ', "", calls.WSDL.read_text(encoding="utf-8"))
        operation = contract.load(*calls.written(tmp_path, text)).operation("GetScores")
        call = envelope.parse(calls.envelope().encode(), "").call()
        assert "None" not in operation.wrapper(call).action


class TestQuery:
    def query(self, operation: str, **values: str | None) -> ScoreQuery:
        return calls.shipped().operation(operation).query(values)

    def refused(self, operation: str, **values: str | None) -> tuple[str, str]:
        with pytest.raises(CallerError) as caught:
            self.query(operation, **values)
        return caught.value.cause.slug, caught.value.detail

    def test_the_guides_call(self) -> None:
        query = self.query("GetScores", **calls.GUIDE)
        assert (query.start.isoformat(), query.end.isoformat()) == (calls.GUIDE["StartDate"], calls.GUIDE["EndDate"])
        assert (query.type, query.reportby, query.format) == ("TOEFL", "scorelinkbyreportdate", "text")

    @pytest.mark.parametrize(
        ("start", "end"),
        [("4/21/2025", "04/21/2025"), ("2025-04-21", "2025-04-21"), ("2025-04-21T00:00:00", "2025-04-21T23:59:59")],
    )
    def test_whole_days_and_fixed_values(self, start: str, end: str) -> None:
        query = self.query(BY_REPORT_DATE, userName="u", password="p", reportstartdate=start, reportenddate=end)
        assert (query.start.isoformat(), query.end.isoformat()) == ("2025-04-21T00:00:00", "2025-04-21T23:59:59")
        assert (query.type, query.reportby) == ("TOEFL", "scorelinkbyreportdate")

    @pytest.mark.parametrize("name", list(calls.GUIDE))
    @pytest.mark.parametrize("value", [None, "", " \t\r\n"], ids=["nil", "empty", "blank"])
    def test_a_value_is_missing(self, name: str, value: str | None) -> None:
        assert self.refused("GetScores", **{**calls.GUIDE, name: value}) == ("missing-parameter", name)

    def test_a_parameter_is_missing(self) -> None:
        assert self.refused("GetScores") == ("missing-parameter", "StartDate")

    @pytest.mark.parametrize("name", ["StartDate", "EndDate"])
    @pytest.mark.parametrize("value", ["2025-02-30T00:00:00", "2025-04-21T24:00:00", "04/21/2025", "yesterday"])
    def test_a_date_is_none(self, name: str, value: str) -> None:
        assert self.refused("GetScores", **{**calls.GUIDE, name: value}) == ("bad-date", name)

    @pytest.mark.parametrize(
        "end", ["2025-04-21T16:45:02", "2025-04-21T16:45:03", "2025-04-21T16:45:03.9", "2025-04-21T18:45:03+02:00"]
    )
    def test_the_start_must_be_before_the_end(self, end: str) -> None:
        assert self.refused("GetScores", **{**calls.GUIDE, "EndDate": end}) == ("start-after-end", "")

    def test_offsets_are_compared_in_utc(self) -> None:
        values = {**calls.GUIDE, "StartDate": "2025-04-21T16:45:03+02:00", "EndDate": "2025-04-21T14:45:04"}
        assert self.query("GetScores", **values).start.isoformat() == "2025-04-21T14:45:03"

    @pytest.mark.parametrize("operation", ["getScorelinkData", "getEDIData"])
    def test_an_unavailable_operation_says_why(self, operation: str) -> None:
        slug, why = self.refused(operation, userName="u", password="p")
        assert slug == "unavailable"
        assert why == calls.shipped().operations[operation].meaning.unavailable


class TestWrong:
    def test_every_reason_is_named(self, tmp_path: Path) -> None:
        paths = calls.changed(
            tmp_path,
            ('name="GetScoresResult" type="s:base64Binary"', 'name="GetScoresResult" type="s:string"'),
            mapping=calls.GET_SCORES_MAPPING.replace("StartDate", "From").replace('"Type"', '"Test"')
            + calls.GET_SCORES_MAPPING.replace("GetScores", "Other"),
        )
        wsdl, toml = paths
        assert refused(paths) == [
            f"{toml}: no operation Other in {wsdl}",
            f"{toml}: GetScores: no parameter From in {wsdl}",
            f"{toml}: GetScores: no parameter Test in {wsdl}",
            f"{toml}: GetScores: the result in {wsdl} is not one base64Binary",
        ]

    def test_reasons_of_the_mapping_are_passed_on(self, tmp_path: Path) -> None:
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
    def test_a_file_that_is_no_wsdl(self, tmp_path: Path, text: str) -> None:
        assert refused(calls.written(tmp_path, text))

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        _, toml = calls.changed(tmp_path)
        assert str(tmp_path / "nothing.wsdl") in refused((tmp_path / "nothing.wsdl", toml))[0]

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            pytest.param('type="tns:GetScoresRequest"', 'type="tns:Nothing"', id="type that is not there"),
            pytest.param('<wsdl:output message="tns:GetScoresSoapOut"/>', "", id="no output"),
            pytest.param(
                'name="ReportBy" type="s:string"/>',
                'name="ReportBy" type="s:string"/><s:element name="Again" type="tns:GetScoresRequest" minOccurs="0"/>',
                id="type within itself",
            ),
            pytest.param(
                'element="tns:GetScoresResponse"', 'element="tns:GetScoresText"', id="output that is no wrapper"
            ),
        ],
    )
    def test_a_wsdl_that_cannot_be_served_is_refused_in_words(self, tmp_path: Path, old: str, new: str) -> None:
        extra = ("</s:schema>", '<s:element name="GetScoresText" type="s:base64Binary"/></s:schema>')
        assert refused(calls.changed(tmp_path, (old, new), extra))

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            pytest.param("<wsdl:types>", '<wsdl:import namespace="urn:z" location="{}"/><wsdl:types>', id="WSDL"),
            pytest.param(
                '<s:element name="GetScores">',
                '<s:import namespace="urn:z" schemaLocation="{}"/><s:element name="GetScores">',
                id="schema",
            ),
            pytest.param(
                '<s:element name="GetScores">',
                '<s:include schemaLocation="{}"/><s:element name="GetScores">',
                id="included schema",
            ),
        ],
    )
    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_nothing_is_fetched_from_the_network(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, scheme: str
    ) -> None:
        def forbidden(*_: object) -> NoReturn:
            raise AssertionError("the network was used")

        url = f"{scheme}://127.0.0.1:9/part.xml"
        paths = calls.changed(tmp_path, (old, new.format(url)))
        monkeypatch.setattr(socket.socket, "connect", forbidden)
        monkeypatch.setattr(socket, "getaddrinfo", forbidden)
        (reason,) = refused(paths)
        assert url in reason
        assert "not read from the network" in reason


class TestOtherWsdl:
    def test_parts_beside_it_are_read(self, tmp_path: Path) -> None:
        (tmp_path / "part.xsd").write_text(
            '<s:schema xmlns:s="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:z"/>', encoding="utf-8"
        )
        part = '<s:import namespace="urn:z" schemaLocation="part.xsd"/>'
        paths = calls.changed(tmp_path, ('<s:element name="GetScores">', f'{part}<s:element name="GetScores">'))
        assert "GetScores" in contract.load(*paths).operations

    def test_a_parameter_of_no_stated_type_is_text(self, tmp_path: Path) -> None:
        paths = calls.changed(tmp_path, ('name="Type" type="s:string"/>', 'name="Type"/>'))
        assert "Type" in contract.load(*paths).operation("GetScores").parameters

    def test_room_for_any_element_is_no_parameter(self, tmp_path: Path) -> None:
        after = 'name="Type" type="s:string"/>'
        paths = calls.changed(tmp_path, (after, f'{after}<s:any minOccurs="0"/>'))
        assert list(calls.GUIDE) == list(contract.load(*paths).operation("GetScores").parameters)

    def test_an_operation_that_is_not_mapped_is_unavailable(self, tmp_path: Path) -> None:
        operations = contract.load(*calls.changed(tmp_path)).operations
        with pytest.raises(CallerError, match="unavailable"):
            operations["getEDIData"].query({})

    def test_a_binding_for_plain_http_as_asmx_adds_is_passed_over(self, tmp_path: Path) -> None:
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
        assert contract.load(*paths).operation("GetScores").soap_action == f"{calls.NAMESPACE}GetScores"
