import itertools
import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shim import errors
from shim.contracts import contract
from shim.contracts.service import LegacyService
from shim.errors import GatewayError
from shim.wire import envelope
from tests.contracts import wsdls
from tests.web import calls

SHIPPED = LegacyService(calls.shipped())
GIVEN = dict(calls.GUIDE)


def values_of(body: str, service: LegacyService = SHIPPED, action: str = "") -> dict[str, str | None]:
    """Return the validated parameters of a call with this body."""
    call = envelope.parse(calls.envelope(body).encode(), "").call()
    return service.parameters(call, service.operation(call, action))


def refused(body: str, service: LegacyService = SHIPPED) -> tuple[str, str]:
    with pytest.raises(GatewayError) as caught:
        values_of(body, service)
    return caught.value.cause.slug, caught.value.detail


def typed(folder: Path, kind: str) -> LegacyService:
    """Make a service whose parameter ``Type`` has another type."""
    paths = calls.changed(folder, ('name="Type" type="s:string"', f'name="Type" type="s:{kind}"'))
    return LegacyService(contract.load(*paths))


def with_type(value: str, attributes: str = "") -> str:
    return calls.get_scores(calls.elements({**GIVEN, "Type": "@"}).replace("<Type>@<", f"<Type {attributes}>{value}<"))


class TestForms:
    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(calls.get_scores(), id="wrapped"),
            pytest.param(f'<GetScores xmlns="urn:x">{calls.elements()}</GetScores>', id="flat"),
            pytest.param(f'<GetScoresRequest xmlns="urn:x">{calls.elements()}</GetScoresRequest>', id="bare"),
            pytest.param(f"<GetScores><request>{calls.elements()}</request></GetScores>", id="no namespace"),
            pytest.param(
                f'<p:GetScores xmlns:p="urn:x"><request>{calls.elements()}</request></p:GetScores>', id="unqualified"
            ),
            pytest.param(
                '<GetScores xmlns="urn:x"><StartDate>2025-04-21T16:45:03</StartDate><request xmlns="urn:y">'
                "<EndDate>2025-04-22T16:52:13</EndDate><Type>TOEFL</Type>"
                "<ReportBy>scorelinkbyreportdate</ReportBy></request></GetScores>",
                id="scattered",
            ),
            pytest.param(
                f"<GetScores><request>{calls.elements()}<Extra><StartDate>2000-01-01</StartDate></Extra></request>"
                "<Other><Type>GRE</Type><request><Type>GRE</Type></request></Other></GetScores>",
                id="unknown elements that hold parameters",
            ),
            pytest.param(
                f'<GetScores><request xsi:nil="true"><Type>GRE</Type></request>{calls.elements()}</GetScores>',
                id="nil request",
            ),
            pytest.param(f"<GetScores>{calls.elements()}<More>1</More></GetScores>", id="something more"),
        ],
    )
    def test_parameters_are_found_in_their_places(self, body: str) -> None:
        assert values_of(body) == GIVEN

    @pytest.mark.parametrize(
        "value",
        ["TOEFL", "<![CDATA[TOEFL]]>", "TO<!-- x -->EFL", "TO<![CDATA[EF]]>L", "<?x y?>TOEFL", "TO<?x y?>EF&#76;"],
    )
    def test_comments_and_cdata_are_no_part_of_a_value(self, value: str) -> None:
        assert values_of(with_type(value)) == GIVEN

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(calls.get_scores(calls.elements() + "<Type>TOEFL</Type>"), id="side by side"),
            pytest.param(
                f"<GetScores><Type>TOEFL</Type><request>{calls.elements()}</request></GetScores>", id="depths"
            ),
            pytest.param(calls.get_scores(calls.elements() * 3), id="all three times"),
            pytest.param(
                calls.get_scores('<p:Type xmlns:p="urn:p">TOEFL</p:Type>' + calls.elements()), id="namespaces"
            ),
        ],
    )
    def test_a_value_may_be_sent_twice(self, body: str) -> None:
        assert values_of(body) == GIVEN

    def test_nothing_may_be_sent_twice(self) -> None:
        assert values_of(calls.get_scores('<Type xsi:nil="true"/><Type xsi:nil="1"/>'))["Type"] is None

    def test_parameters_in_a_type_of_the_wsdl(self, tmp_path: Path) -> None:
        """Its element may have any name, and be as deep as the WSDL says."""
        inner = wsdls.sequence("range", wsdls.fields({"fromDate": "string", "untilDate": "string"}))
        content = f'{wsdls.fields({"kind": "string"})}<x:element name="what"><x:complexType><x:sequence>{inner}'
        types = wsdls.sequence("Fetch", f"{content}</x:sequence></x:complexType></x:element>")
        answer = wsdls.sequence("FetchResponse", wsdls.RESULT)
        text = wsdls.wsdl(wsdls.schema(types + answer))
        mapping = calls.GET_SCORES_MAPPING.replace("GetScores", "Fetch").replace('"ReportBy"', '{ value = "x" }')
        for old, new in (("StartDate", "fromDate"), ("EndDate", "untilDate"), ("Type", "kind")):
            mapping = mapping.replace(f'"{old}"', f'"{new}"')
        service = LegacyService(contract.load(*calls.written(tmp_path, text, mapping)))
        dates = "<fromDate>1</fromDate><untilDate>2</untilDate>"
        given = {"kind": "a", "fromDate": "1", "untilDate": "2"}
        for body in (
            f"<kind>a</kind><what><range>{dates}</range></what>",
            f"<kind>a</kind><what>{dates}</what>",
            f"<kind>a</kind>{dates}",
            f"<request><kind>a</kind>{dates}</request>",
        ):
            assert values_of(f"<Fetch>{body}</Fetch>", service) == given
        nowhere = values_of(f"<Fetch><kind>a</kind><range>{dates}</range><z><what>{dates}</what></z></Fetch>", service)
        assert nowhere == {"kind": "a", "fromDate": None, "untilDate": None}

    @pytest.mark.parametrize("order", list(itertools.permutations(GIVEN)), ids=" ".join)
    def test_any_order(self, order: tuple[str, ...]) -> None:
        assert values_of(calls.get_scores(calls.elements({name: GIVEN[name] for name in order}))) == GIVEN

    def test_types_that_clients_declare_are_ignored(self) -> None:
        attributes = 'xmlns:q="http://www.w3.org/2001/XMLSchema" xsi:type="q:string"'
        assert values_of(with_type("TOEFL", attributes)) == GIVEN
        assert values_of(with_type("TOEFL", 'xsi:type="unknown:thing"')) == GIVEN

    def test_references_are_not_followed(self) -> None:
        body = f'<GetScores><request href="#1" id="1">{calls.elements()}</request></GetScores>'
        assert values_of(body) == GIVEN

    @given(
        st.text(
            st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), min_size=1
        )
    )
    def test_any_text_is_returned_as_it_was_sent(self, text: str) -> None:
        references = "".join(f"&#{ord(character)};" for character in text)
        assert values_of(with_type(references))["Type"] == text


class TestMissing:
    @pytest.mark.parametrize(
        ("attributes", "value", "expected"),
        [
            pytest.param('xsi:nil="true"', "", None, id="nil"),
            pytest.param('xsi:nil="1"', "", None, id="nil by number"),
            pytest.param('xsi:nil="true"', "TOEFL", None, id="nil with a value"),
            pytest.param('xsi:nil="false"', "TOEFL", "TOEFL", id="not nil"),
            pytest.param('nil="true"', "TOEFL", "TOEFL", id="nil of no namespace"),
        ],
    )
    def test_nil(self, attributes: str, value: str, expected: str | None) -> None:
        assert values_of(with_type(value, attributes))["Type"] == expected

    def test_an_empty_element_has_no_value(self) -> None:
        assert not values_of(with_type(""))["Type"]

    @pytest.mark.parametrize(
        "body",
        ["<GetScores/>", "<GetScores><request/></GetScores>", '<GetScores><request xsi:nil="true"/></GetScores>'],
    )
    def test_no_parameters(self, body: str) -> None:
        assert values_of(body) == dict.fromkeys(GIVEN)


class TestWrong:
    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(calls.get_scores(calls.elements() + "<Type>GRE</Type>"), id="side by side"),
            pytest.param(calls.get_scores(calls.elements() + "<Type>TOEFL </Type>"), id="white space"),
            pytest.param(calls.get_scores(calls.elements() + "<Type/>"), id="once empty"),
            pytest.param(f"<GetScores><Type/><request>{calls.elements()}</request></GetScores>", id="at two depths"),
            pytest.param(calls.get_scores('<Type xsi:nil="true"/>' + calls.elements()), id="once nil"),
            pytest.param(
                calls.get_scores('<p:Type xmlns:p="urn:p">x</p:Type>' + calls.elements()), id="two namespaces"
            ),
        ],
    )
    def test_a_parameter_that_is_sent_twice_with_different_values(self, body: str) -> None:
        assert refused(body) == ("duplicate-parameter", "Type")

    @pytest.mark.parametrize("value", ["<a/>", "TOEFL<b>x</b>", "<StartDate>2025-04-21T16:45:03</StartDate>"])
    def test_elements_in_a_value(self, value: str) -> None:
        body = f"<GetScores><Type>{value}</Type></GetScores>"
        assert refused(body) == ("bad-parameter", "Type")

    def test_an_unknown_operation(self) -> None:
        assert refused("<Other/>") == ("unknown-operation", "")

    @pytest.mark.parametrize("action", ["getEDIData", "urn:x#getEDIData"])
    def test_an_action_of_another_operation(self, action: str) -> None:
        with pytest.raises(errors.CallerError, match="action"):
            values_of(calls.get_scores(), action=action)

    def test_an_action_of_another_operation_in_ws_addressing(self) -> None:
        header = '<a:Action xmlns:a="http://www.w3.org/2005/08/addressing"{}>urn:x/getEDIData</a:Action>'
        marked = header.format(' s:mustUnderstand="1"')
        call = envelope.parse(calls.envelope(headers=marked).encode(), "").call()
        with pytest.raises(errors.CallerError, match="action"):
            SHIPPED.operation(call, "*")
        unmarked = envelope.parse(calls.envelope(headers=header.format("")).encode(), "").call()
        assert SHIPPED.operation(unmarked, "*").name == "GetScores"


class TestTypes:
    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            ("int", "21"),
            ("integer", "-21"),
            ("long", "9223372036854775807"),
            ("short", "7"),
            ("decimal", "1.5"),
            ("double", "1.5"),
            ("float", "0.25"),
            ("string", " TOEFL "),
            ("anyURI", "urn:x"),
        ],
    )
    def test_a_value_of_its_type(self, tmp_path: Path, kind: str, value: str) -> None:
        assert values_of(with_type(value), typed(tmp_path, kind))["Type"] == value

    @pytest.mark.parametrize("value", ["true", "1", "false", "0"])
    def test_a_boolean(self, tmp_path: Path, value: str) -> None:
        assert values_of(with_type(value), typed(tmp_path, "boolean"))["Type"] is not None

    def test_white_space_around_a_number(self, tmp_path: Path) -> None:
        found = values_of(with_type(" 21\n"), typed(tmp_path, "int"))["Type"]
        assert (found or "").strip() == "21"

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            ("int", "TOEFL"),
            ("int", "2.5"),
            ("int", "1_000"),
            ("int", "\u0663"),
            ("int", "9" * 5000),
            ("boolean", "yes"),
            ("boolean", "2"),
            ("decimal", "one"),
            ("decimal", "Infinity"),
            ("double", "one"),
        ],
        ids=lambda value: str(value)[:12],
    )
    def test_a_value_of_another_type(self, tmp_path: Path, kind: str, value: str) -> None:
        assert refused(with_type(value), typed(tmp_path, kind)) == ("bad-parameter", "Type")

    def test_nil_fits_every_type(self, tmp_path: Path) -> None:
        assert values_of(with_type("", 'xsi:nil="true"'), typed(tmp_path, "int"))["Type"] is None


def test_no_value_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    service = typed(tmp_path, "int")
    assert refused(with_type("synthetic-secret"), service)[0] == "bad-parameter"
    assert values_of(with_type("5", 'id="synthetic-secret"'), service)["Type"] == "5"
    assert "synthetic-secret" not in caplog.text


def test_two_contracts_in_one_process(tmp_path: Path) -> None:
    mapping = calls.GET_SCORES_MAPPING.replace("GetScores", "FetchScores")
    text = calls.WSDL.read_text(encoding="utf-8").replace("GetScores", "FetchScores")
    other = contract.load(*calls.written(tmp_path, text, mapping))
    assert values_of(f"<FetchScores>{calls.elements()}</FetchScores>", LegacyService(other)) == GIVEN
    assert values_of(calls.get_scores()) == GIVEN


@pytest.mark.parametrize("name", ["Attributes", "__class__", "get_flat_type_info", "_value_1", "self", "class"])
def test_a_parameter_may_have_any_name(tmp_path: Path, name: str) -> None:
    mapping = calls.GET_SCORES_MAPPING.replace('"Type"', f'"{name}"')
    paths = calls.changed(tmp_path, ('name="Type"', f'name="{name}"'), mapping=mapping)
    body = calls.get_scores(calls.elements({name: "TOEFL"}))
    assert values_of(body, LegacyService(contract.load(*paths)))[name] == "TOEFL"
