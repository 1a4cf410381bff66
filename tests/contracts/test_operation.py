import re
from pathlib import Path

import pytest

from shim.contracts import contract
from shim.contracts.contract import Contract
from shim.errors import CallerError
from shim.query import ScoreQuery
from shim.wire import envelope
from shim.wire.answer_format import AnswerFormat
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


def format_of(loaded: Contract, body: str) -> AnswerFormat:
    """Return the format in which a call with a body is answered."""
    call = envelope.parse(calls.envelope(body).encode(), "").call()
    return loaded.operation(call.name).answer_format(call)


class TestAnswerFormat:
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
    def test_it_uses_the_names_of_the_call(self, body: str, response: tuple[str, str], result: tuple[str, str]) -> None:
        found = format_of(calls.shipped(), body)
        assert found.path == (response, result)
        assert found.action == f"{calls.NAMESPACE}GetScoresResponse"

    def test_errors_and_empty_answers_are_as_mapped(self, tmp_path: Path) -> None:
        assert not format_of(calls.shipped(), calls.get_scores()).in_band
        assert format_of(calls.shipped(), IN_BAND).in_band
        mapping = calls.GET_SCORES_MAPPING + 'empty = "nil"\nerrors = "in-band"'
        found = format_of(contract.load(*calls.changed(tmp_path, mapping=mapping)), calls.get_scores())
        assert (found.empty, found.in_band, found.result_type) == ("nil", True, "base64Binary")

    def test_the_type_of_the_result_is_the_wsdls(self, tmp_path: Path) -> None:
        text = ('name="GetScoresResult" type="s:base64Binary"', 'name="GetScoresResult" type="s:string"')
        assert format_of(contract.load(*calls.changed(tmp_path, text)), calls.get_scores()).result_type == "string"

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
        assert format_of(contract.load(*calls.written(tmp_path, text, FETCH)), body).path == path

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
        assert format_of(loaded, f'<Fetch xmlns="{namespace}"><fromDate/></Fetch>').path == path

    def test_an_operation_without_a_soap_action_has_an_answer_action(self, tmp_path: Path) -> None:
        text = re.sub(r'soapAction="[^"]*" ', "", calls.WSDL.read_text(encoding="utf-8"))
        loaded = contract.load(*calls.written(tmp_path, text))
        assert format_of(loaded, calls.get_scores()).action == f"{calls.NAMESPACE}GetScoresResponse"

    def test_a_bare_result(self, tmp_path: Path) -> None:
        extra = ("</s:schema>", '<s:element name="GetScoresText" type="s:base64Binary"/></s:schema>')
        paths = calls.changed(tmp_path, ('element="tns:GetScoresResponse"', 'element="tns:GetScoresText"'), extra)
        found = format_of(contract.load(*paths), calls.get_scores(namespace="urn:x"))
        assert found.path == (("GetScoresText", "urn:x"),)

    def test_an_unservable_operation_may_be_mapped_as_unavailable(self, tmp_path: Path) -> None:
        number = ('name="GetScoresResult" type="s:base64Binary"', 'name="GetScoresResult" type="s:int"')
        mapping = '[operations.GetScores]\nunavailable = "gone."\nerrors = "in-band"'
        loaded = contract.load(*calls.changed(tmp_path, number, mapping=mapping))
        with pytest.raises(CallerError, match="unavailable"):
            loaded.operation("GetScores").query({})
        # Its result cannot carry the sentence, so it gets a fault.
        assert not format_of(loaded, calls.get_scores()).in_band


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
    def test_a_date_is_wrong(self, name: str, value: str) -> None:
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
        assert why == f"{calls.shipped().operations[operation].mapping.unavailable} Ask TOEFL Access by REST instead."

    def test_an_unavailable_operation_says_where_to_read_on(self) -> None:
        loaded = contract.load(calls.WSDL, calls.MAPPING, info_url="https://example.edu/end?a#b")
        with pytest.raises(CallerError) as caught:
            loaded.operation("getEDIData").query({})
        assert caught.value.sentence == (
            "This operation is no longer answered: TOEFL Access has no EDI form. "
            "Ask TOEFL Access by REST instead: https://example.edu/end?a#b"
        )

    def test_the_zone_of_the_mapping(self, tmp_path: Path) -> None:
        mapping = FETCH + 'zone = "America/New_York"\n'
        loaded = contract.load(*calls.written(tmp_path, wsdls.wsdl(), mapping))
        query = loaded.operation("Fetch").query({"fromDate": "2025-03-09", "untilDate": "2025-03-09"})
        assert (query.start.isoformat(), query.end.isoformat()) == ("2025-03-09T05:00:00", "2025-03-10T03:59:59")
