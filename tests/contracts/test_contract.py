import re
from pathlib import Path
from typing import ClassVar

import pytest

from shim.contracts import contract
from shim.contracts.contract import Contract, ContractError
from shim.errors import CallerError
from shim.query import ScoreQuery
from shim.wire import envelope
from shim.wire.answer import Name
from shim.wire.result import Reply
from tests.contracts import wsdls
from tests.web import calls

BY_REPORT_DATE = "getScorelinkDataByReportDate"
RESPONSE = "GetScoresResponse"
IN_BAND = f"<{BY_REPORT_DATE}/>"
FETCH = """\
[operations.Fetch]
startdate = "fromDate"
enddate = "untilDate"
type = { value = "TOEFL" }
reportby = { value = "synthetic" }
dates = ["YYYY-MM-DD"]
"""


def replied(loaded: Contract, body: str) -> Reply:
    call = envelope.parse(calls.envelope(body).encode(), "").call()
    return loaded.operation(call.root).reply(call)


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
            assert described.request == Name(name, calls.NAMESPACE)
            assert described.soap_action == f"{calls.NAMESPACE}{name}"
            assert described.result_path == (
                Name(f"{name}Response", calls.NAMESPACE),
                Name(f"{name}Result", calls.NAMESPACE),
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


class TestReply:
    @pytest.mark.parametrize(
        ("body", "response", "result"),
        [
            pytest.param(
                calls.get_scores(),
                (RESPONSE, calls.NAMESPACE),
                ("GetScoresResult", calls.NAMESPACE),
                id="as in the WSDL",
            ),
            pytest.param(
                calls.get_scores(namespace="urn:x"), (RESPONSE, "urn:x"), ("GetScoresResult", "urn:x"), id="namespace"
            ),
            pytest.param(
                '<GetScoresRequest xmlns="urn:x"><Type/></GetScoresRequest>',
                (RESPONSE, "urn:x"),
                ("GetScoresResult", "urn:x"),
                id="message contract",
            ),
            pytest.param(
                f'<GetScoresRequest xmlns="{calls.NAMESPACE}"><Type/></GetScoresRequest>',
                (RESPONSE, calls.NAMESPACE),
                ("GetScoresResult", calls.NAMESPACE),
                id="message contract, as in the WSDL",
            ),
            pytest.param(
                '<p:GetScores xmlns:p="urn:x"><Type/></p:GetScores>',
                (RESPONSE, "urn:x"),
                ("GetScoresResult", ""),
                id="unqualified",
            ),
            pytest.param("<GetScores><Type/></GetScores>", (RESPONSE, ""), ("GetScoresResult", ""), id="no namespace"),
            pytest.param(
                f'<GetScores xmlns="{calls.NAMESPACE}"/>',
                (RESPONSE, calls.NAMESPACE),
                ("GetScoresResult", calls.NAMESPACE),
                id="no parameters",
            ),
        ],
    )
    def test_it_is_in_the_words_of_the_call(
        self, body: str, response: tuple[str, str], result: tuple[str, str]
    ) -> None:
        wrapper = replied(calls.shipped(), body).wrapper
        assert wrapper.path == (response, result)
        assert wrapper.action == f"{calls.NAMESPACE}GetScoresResponse"

    def test_what_the_mapping_says_of_errors_and_emptiness(self, tmp_path: Path) -> None:
        assert (replied(calls.shipped(), calls.get_scores()).in_band, replied(calls.shipped(), IN_BAND).in_band) == (
            False,
            True,
        )
        mapping = calls.GET_SCORES_MAPPING + 'empty = "nil"\nerrors = "in-band"'
        found = replied(contract.load(*calls.changed(tmp_path, mapping=mapping)), calls.get_scores())
        assert (found.empty, found.in_band, found.kind) == ("nil", True, "base64Binary")

    def test_the_type_of_the_result_is_the_wsdls(self, tmp_path: Path) -> None:
        text = ('name="GetScoresResult" type="s:base64Binary"', 'name="GetScoresResult" type="s:string"')
        assert replied(contract.load(*calls.changed(tmp_path, text)), calls.get_scores()).kind == "string"

    @pytest.mark.parametrize(
        ("body", "path"),
        [
            pytest.param(
                '<t:Fetch xmlns:t="urn:legacy"><fromDate/></t:Fetch>',
                (("FetchResponse", "urn:legacy"), ("FetchResult", "")),
                id="as in the WSDL",
            ),
            pytest.param(
                '<t:Fetch xmlns:t="urn:legacy"/>',
                (("FetchResponse", "urn:legacy"), ("FetchResult", "")),
                id="without parameters, which tell nothing",
            ),
            pytest.param(
                '<Fetch xmlns="urn:legacy"><fromDate/></Fetch>',
                (("FetchResponse", "urn:legacy"), ("FetchResult", "urn:legacy")),
                id="qualified all the same",
            ),
        ],
    )
    def test_of_an_unqualified_schema(self, tmp_path: Path, body: str, path: object) -> None:
        text = wsdls.wsdl(wsdls.schema(wsdls.wrapped(), form="unqualified"))
        assert replied(contract.load(*calls.written(tmp_path, text, FETCH)), body).wrapper.path == path

    @pytest.mark.parametrize(
        ("namespace", "path"),
        [
            (wsdls.NAMESPACE, (("FetchResponse", wsdls.NAMESPACE), ("Scores", "urn:other"))),
            ("urn:x", (("FetchResponse", "urn:x"), ("Scores", "urn:x"))),
        ],
        ids=["as in the WSDL", "mirrored"],
    )
    def test_of_a_schema_in_two_namespaces(self, tmp_path: Path, namespace: str, path: object) -> None:
        asked = wsdls.sequence("Fetch", wsdls.fields(wsdls.TEXT))
        answered = wsdls.sequence("FetchResponse", '<x:element ref="o:Scores" xmlns:o="urn:other"/>')
        other = wsdls.schema('<x:element name="Scores" type="x:string"/>', namespace="urn:other")
        text = wsdls.wsdl(wsdls.schema(f'<x:import namespace="urn:other"/>{asked}{answered}') + other)
        loaded = contract.load(*calls.written(tmp_path, text, FETCH))
        assert replied(loaded, f'<Fetch xmlns="{namespace}"><fromDate/></Fetch>').wrapper.path == path

    def test_an_operation_of_no_soap_action_still_has_a_reply_action(self, tmp_path: Path) -> None:
        text = re.sub(r'soapAction="[^"]*" ', "", calls.WSDL.read_text(encoding="utf-8"))
        loaded = contract.load(*calls.written(tmp_path, text))
        assert replied(loaded, calls.get_scores()).wrapper.action == f"{calls.NAMESPACE}GetScoresResponse"


class TestRoots:
    def test_the_wsdls_own_element_comes_first(self, tmp_path: Path) -> None:
        """Where a request element of one operation is what a client of another may send."""
        elements = wsdls.wrapped() + wsdls.sequence("FetchRequest", wsdls.fields({"a": "string", "b": "string"}))
        part = '<w:message name="In2"><w:part name="parameters" element="t:FetchRequest"/></w:message>'
        second = '<w:portType name="P2"><w:operation name="Other"><w:input message="t:In2"/><w:output message="t:Out"/>'
        text = wsdls.wsdl(
            wsdls.schema(elements),
            bindings=f"{part}{second}</w:operation></w:portType>"
            + wsdls.binding("B2", name="Other", port_type="P2", action="urn:o"),
            ports='<w:port name="P2" binding="t:B2"><s:address location="http://127.0.0.1:9/"/></w:port>',
        )
        loaded = contract.load(*calls.written(tmp_path, text, FETCH))
        roots = ("Fetch", "FetchRequest", "Other", "OtherRequest")
        assert [loaded.operation(root).name for root in roots] == ["Fetch", "Other", "Other", "Other"]


class TestReportBy:
    VALUES: ClassVar = {"userName": "u", "password": "p", "teststartdate": "4/21/2025", "testenddate": "4/22/2025"}

    def test_a_setting_makes_it_answer(self) -> None:
        loaded = contract.load(calls.WSDL, calls.MAPPING, {"getScorelinkData": "synthetic"})
        query = loaded.operation("getScorelinkData").query(self.VALUES)
        assert (query.reportby, query.type) == ("synthetic", "TOEFL")
        assert (query.start.isoformat(), query.end.isoformat()) == ("2025-04-21T00:00:00", "2025-04-22T23:59:59")
        assert loaded.operations["getEDIData"].meaning.unavailable

    def test_it_wins_over_the_mapping(self) -> None:
        loaded = contract.load(calls.WSDL, calls.MAPPING, {BY_REPORT_DATE: "synthetic"})
        values = {"reportstartdate": "4/21/2025", "reportenddate": "4/22/2025"}
        assert loaded.operation(BY_REPORT_DATE).query(values).reportby == "synthetic"

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("Other", f"{calls.MAPPING}: no operation Other to set what it reports by"),
            (
                "getEDIData",
                f"{calls.MAPPING}: getEDIData: says nothing of startdate, enddate, type (or say why it is unavailable)",
            ),
        ],
    )
    def test_one_that_nothing_else_is_known_of_is_refused(self, name: str, reason: str) -> None:
        with pytest.raises(ContractError) as caught:
            contract.load(calls.WSDL, calls.MAPPING, {name: "synthetic"})
        assert str(caught.value) == reason


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
        assert why == f"{calls.shipped().operations[operation].meaning.unavailable} Ask TOEFL Access by REST instead."

    def test_an_unavailable_operation_says_where_to_read_on(self) -> None:
        loaded = contract.load(calls.WSDL, calls.MAPPING, info_url="https://example.edu/end?a#b")
        with pytest.raises(CallerError) as caught:
            loaded.operation("getEDIData").query({})
        assert caught.value.sentence == (
            "This operation is not answered any more: TOEFL Access has no EDI form. "
            "Ask TOEFL Access by REST instead: https://example.edu/end?a#b"
        )

    def test_the_zone_of_the_mapping(self, tmp_path: Path) -> None:
        mapping = FETCH + 'zone = "America/New_York"\n'
        loaded = contract.load(*calls.written(tmp_path, wsdls.wsdl(), mapping))
        query = loaded.operation("Fetch").query({"fromDate": "2025-03-09", "untilDate": "2025-03-09"})
        assert (query.start.isoformat(), query.end.isoformat()) == ("2025-03-09T05:00:00", "2025-03-10T03:59:59")


class TestWrong:
    def test_every_reason_is_named(self, tmp_path: Path) -> None:
        paths = calls.changed(
            tmp_path,
            ('name="GetScoresResult" type="s:base64Binary"', 'name="GetScoresResult" type="s:int"'),
            mapping=calls.GET_SCORES_MAPPING.replace("StartDate", "From").replace('"Type"', '"Test"')
            + calls.GET_SCORES_MAPPING.replace("GetScores", "Other"),
        )
        wsdl, toml = paths
        assert refused(paths) == [
            f"{toml}: no operation Other in {wsdl}",
            f"{toml}: GetScores: no parameter From in {wsdl}",
            f"{toml}: GetScores: no parameter Test in {wsdl}",
            f"{toml}: GetScores: its result is of type int: only base64Binary and string can hold scores",
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
        ],
    )
    def test_a_wsdl_that_cannot_be_served_is_refused_in_words(self, tmp_path: Path, old: str, new: str) -> None:
        assert refused(calls.changed(tmp_path, (old, new)))

    def test_an_operation_that_cannot_be_served_may_be_said_to_be_unavailable(self, tmp_path: Path) -> None:
        number = ('name="GetScoresResult" type="s:base64Binary"', 'name="GetScoresResult" type="s:int"')
        mapping = '[operations.GetScores]\nunavailable = "gone."\nerrors = "in-band"'
        loaded = contract.load(*calls.changed(tmp_path, number, mapping=mapping))
        with pytest.raises(CallerError, match="unavailable"):
            loaded.operation("GetScores").query({})
        # Its result cannot carry the sentence, so it gets a fault.
        assert not replied(loaded, calls.get_scores()).in_band


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
        assert "Type" in contract.load(*paths).operation("GetScores").description.parameters

    def test_room_for_any_element_is_no_parameter(self, tmp_path: Path) -> None:
        after = 'name="Type" type="s:string"/>'
        paths = calls.changed(tmp_path, (after, f'{after}<s:any minOccurs="0"/>'))
        assert list(calls.GUIDE) == list(contract.load(*paths).operation("GetScores").description.parameters)

    def test_an_operation_that_is_not_mapped_is_unavailable(self, tmp_path: Path) -> None:
        operations = contract.load(*calls.changed(tmp_path)).operations
        with pytest.raises(CallerError, match="unavailable") as caught:
            operations["getEDIData"].query({})
        assert caught.value.detail == "nobody said what it means. Ask TOEFL Access by REST instead."

    def test_a_parameter_within_itself_is_passed_over(self, tmp_path: Path) -> None:
        after = 'name="ReportBy" type="s:string"/>'
        again = '<s:element name="Again" type="tns:GetScoresRequest" minOccurs="0"/>'
        paths = calls.changed(tmp_path, (after, after + again))
        assert list(contract.load(*paths).operation("GetScores").description.parameters) == list(calls.GUIDE)

    def test_a_bare_result(self, tmp_path: Path) -> None:
        extra = ("</s:schema>", '<s:element name="GetScoresText" type="s:base64Binary"/></s:schema>')
        paths = calls.changed(tmp_path, ('element="tns:GetScoresResponse"', 'element="tns:GetScoresText"'), extra)
        found = replied(contract.load(*paths), calls.get_scores(namespace="urn:x"))
        assert found.wrapper.path == (("GetScoresText", "urn:x"),)

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
        assert contract.load(*paths).operation("GetScores").description.soap_action == f"{calls.NAMESPACE}GetScores"
