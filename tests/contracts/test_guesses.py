import tomllib
from pathlib import Path
from typing import Any

import pytest

from shim.contracts import description, guesses
from shim.contracts.guesses import Table
from tests.contracts.wsdls import TEXT, fields, schema, wrapped, wsdl
from tests.web import calls

ISO = {"startDate": "dateTime", "endDate": "dateTime"}
DAYS = {"fromDate": "string", "untilDate": "string"}


def written(folder: Path, text: str) -> Path:
    path = folder / "legacy.wsdl"
    path.write_text(text, encoding="utf-8")
    return path


def guessed(folder: Path, parameters: dict[str, str] | None = None) -> Table:
    """Return the table of an operation ``Fetch`` with parameters."""
    return guesses.guess(description.read(written(folder, wsdl(schema(wrapped(parameters)))))["Fetch"])


def keys(table: Table) -> dict[str, Any]:
    """Return the keys of a table, as TOML has them."""
    (found,) = tomllib.loads(str(table))["operations"].values()
    assert isinstance(found, dict)
    return found


def comment(table: Table, key: str) -> str:
    """Return the comment on a key: how sure the guess is, and why."""
    (line,) = (line for line in str(table).splitlines() if line.split(" ", 1)[0] == key)
    return line.rpartition("# ")[2]


class TestTable:
    def test_a_whole_table(self, tmp_path: Path) -> None:
        assert keys(guessed(tmp_path)) == {
            "startdate": "fromDate",
            "enddate": "untilDate",
            "type": {"value": "TOEFL"},
            "reportby": {"value": "scorelinkbyreportdate"},
            "credentials": ["userName", "password"],
            "dates": ".NET en-US",
            "errors": "in-band",
            "empty": "absent",
            "records": "as-sent",
        }

    @pytest.mark.parametrize(
        ("parameters", "key", "value", "sure"),
        [
            pytest.param(DAYS, "startdate", "fromDate", "likely: by its name", id="from"),
            pytest.param(DAYS, "enddate", "untilDate", "likely: by its name", id="until"),
            pytest.param(ISO, "startdate", "startDate", "likely: by its name", id="start"),
            pytest.param({"start": "date", "thru": "date"}, "enddate", "thru", "likely: by its name", id="thru"),
            pytest.param({"DateFrom": "date", "DateTo": "date"}, "enddate", "DateTo", "likely: by its name", id="to"),
            pytest.param(
                {"end1": "date", "end2": "date", "start": "date"}, "enddate", "end1", "a guess: or end2?", id="two ends"
            ),
            pytest.param(
                {**DAYS, "testProgram": "string"},
                "type",
                {"parameter": "testProgram", "default": "TOEFL"},
                "likely: by its name; a call may leave it out",
                id="type",
            ),
            pytest.param(DAYS, "type", {"value": "TOEFL"}, "likely: no parameter has it", id="no type"),
            pytest.param(
                {**DAYS, "ReportBy": "string"},
                "reportby",
                {"parameter": "ReportBy", "default": "scorelinkbyreportdate"},
                "likely: by its name; a call may leave it out",
                id="report-by",
            ),
            pytest.param(
                DAYS, "reportby", {"value": "scorelinkbyreportdate"}, "a guess: no other value is public", id="unsaid"
            ),
            pytest.param(
                {"reportstart": "date", "reportend": "date"},
                "reportby",
                {"value": "scorelinkbyreportdate"},
                "likely: no other value is public",
                id="report date",
            ),
            pytest.param(ISO, "dates", ["ISO 8601"], "certain: their type is xs:dateTime", id="dateTime"),
            pytest.param(
                {"start": "date", "end": "date"}, "dates", ["ISO 8601"], "certain: their type is xs:date", id="date"
            ),
            pytest.param(
                {"start": "dateTime", "end": "date"},
                "dates",
                ".NET en-US",
                "a guess: most .NET services",
                id="two types",
            ),
            pytest.param(DAYS, "dates", ".NET en-US", "a guess: most .NET services read text", id="text"),
            pytest.param(
                {**ISO, "login": "string", "pwd": "string"},
                "credentials",
                ["login", "pwd"],
                "likely: by their names",
                id="credentials",
            ),
            pytest.param(TEXT, "errors", "in-band", "likely: the old service reported failed log-ons", id="in band"),
            pytest.param(DAYS, "errors", "fault", "a guess: without credentials no log-on can fail", id="faults"),
            pytest.param(DAYS, "empty", "absent", "a guess: how the old service answered without scores", id="empty"),
            pytest.param(DAYS, "records", "as-sent", "a guess: write 900", id="records"),
        ],
    )
    def test_it_says_how_sure_it_is_and_why(
        self, tmp_path: Path, parameters: dict[str, str], key: str, value: object, sure: str
    ) -> None:
        table = guessed(tmp_path, parameters)
        assert keys(table)[key] == value
        assert comment(table, key).startswith(sure)

    def test_a_parameter_that_every_call_has_gets_no_default(self, tmp_path: Path) -> None:
        required = schema(wrapped({**DAYS, "type": "string", "reportBy": "string"}).replace('minOccurs="0"', ""))
        table = guesses.guess(description.read(written(tmp_path, wsdl(required)))["Fetch"])
        assert (keys(table)["type"], keys(table)["reportby"]) == ("type", "reportBy")

    def test_a_user_without_a_password_is_not_a_credential(self, tmp_path: Path) -> None:
        assert "credentials" not in keys(guessed(tmp_path, {**DAYS, "user": "string"}))

    def test_edi(self) -> None:
        table = guesses.guess(description.read(calls.WSDL)["getEDIData"])
        assert keys(table) == {"unavailable": "TOEFL Access has no EDI form."}

    def test_test_dates(self) -> None:
        table = guesses.guess(description.read(calls.WSDL)["getScorelinkData"])
        found = keys(table)
        assert found["unavailable"] == "TOEFL Access selects by report date, not by test date."
        assert (found["startdate"], found["enddate"]) == ("teststartdate", "testenddate")
        assert "reportby" not in found
        assert table.questions[0] == (
            "getScorelinkData: it seems to select by test date, and no report-by value for that is public: if you know "
            "one, set reportby and delete unavailable"
        )

    def test_no_range_of_dates(self, tmp_path: Path) -> None:
        assert keys(guessed(tmp_path, {"id": "string"})) == {
            "unavailable": "the operation has no range of dates, and TOEFL Access answers nothing else."
        }

    def test_an_unservable_operation(self, tmp_path: Path) -> None:
        text = wsdl(schema(wrapped(result=fields({"FetchResult": "int"}))))
        table = guesses.guess(description.read(written(tmp_path, text))["Fetch"])
        assert keys(table) == {
            "unavailable": "the result is of type int: only base64Binary and string can hold scores."
        }


class TestQuestions:
    def test_dates_as_text(self, tmp_path: Path) -> None:
        assert guessed(tmp_path, DAYS).questions == [
            "Fetch: fromDate and untilDate are text: set dates to the client's forms, and zone to its time zone"
        ]

    def test_parameters_of_unknown_meaning(self, tmp_path: Path) -> None:
        (question,) = guessed(tmp_path, {**ISO, "zebra": "string", "apple": "string"}).questions
        assert question == "Fetch: no key names apple, zebra: make sure that what clients send there may be ignored"

    def test_nothing(self, tmp_path: Path) -> None:
        assert guessed(tmp_path, ISO).questions == []
