from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from shim.contracts import mapping
from shim.contracts.mapping import FixedValue, MappingError, OperationMapping, OptionalParameter, RecordWidth
from tests.web import calls

WHOLE = """\
[operations.Fetch]
startdate = "from"
enddate = "until"
type = { value = "TOEFL" }
reportby = "by"
credentials = ["user", "pass"]
dates = ["MM/DD/YYYY", "ISO 8601"]
format = "json"
zone = "America/New_York"
errors = "in-band"
empty = "nil"
"""
TEXT = WHOLE.replace('"json"', '"text"')


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "mapping.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refused(path: Path) -> list[str]:
    with pytest.raises(MappingError) as caught:
        mapping.load(path)
    return [line.removeprefix(f"{path}: ") for line in str(caught.value).splitlines() if line.startswith(f"{path}: ")]


def test_the_shipped_mapping() -> None:
    found = mapping.load(calls.MAPPING)
    assert found["GetScores"].parameters == (
        ("startdate", "StartDate"),
        ("enddate", "EndDate"),
        ("type", "Type"),
        ("reportby", "ReportBy"),
    )
    by_report_date = found["getScorelinkDataByReportDate"]
    assert by_report_date.parameters == (
        ("startdate", "reportstartdate"),
        ("enddate", "reportenddate"),
        ("credentials", "userName"),
        ("credentials", "password"),
    )
    assert (by_report_date.type, by_report_date.reportby) == (
        FixedValue(value="TOEFL"),
        FixedValue(value="scorelinkbyreportdate"),
    )
    assert {mapped.dates for name, mapped in found.items() if mapped.credentials} == {(".NET en-US",)}
    assert [name for name, mapped in found.items() if mapped.unavailable] == ["getScorelinkData", "getEDIData"]


def test_every_key(tmp_path: Path) -> None:
    assert mapping.load(written(tmp_path, WHOLE)) == {
        "Fetch": OperationMapping(
            startdate="from",
            enddate="until",
            type=FixedValue(value="TOEFL"),
            reportby="by",
            credentials=("user", "pass"),
            dates=("MM/DD/YYYY", "ISO 8601"),
            format="json",
            zone=ZoneInfo("America/New_York"),
            errors="in-band",
            empty="nil",
        )
    }


def test_defaults(tmp_path: Path) -> None:
    mapped = mapping.load(written(tmp_path, calls.GET_SCORES_MAPPING))["GetScores"]
    assert (mapped.dates, mapped.format, mapped.credentials, mapped.unavailable) == (
        ("ISO 8601",),
        "text",
        None,
        "",
    )
    assert (mapped.zone, mapped.errors, mapped.empty, mapped.records) == (None, "fault", "absent", "as-sent")


@pytest.mark.parametrize(
    ("written_as", "expected"),
    [
        ('"as-sent"', "as-sent"),
        ("900", RecordWidth(width=900, wider="cut")),
        ("{ width = 900 }", RecordWidth(width=900, wider="cut")),
        ('{ width = 1600, wider = "refuse" }', RecordWidth(width=1600, wider="refuse")),
        ('{ width = 1, wider = "cut" }', RecordWidth(width=1, wider="cut")),
    ],
)
def test_forms_of_records(tmp_path: Path, written_as: str, expected: object) -> None:
    assert mapping.load(written(tmp_path, f"{TEXT}records = {written_as}"))["Fetch"].records == expected


@pytest.mark.parametrize(
    "written_as",
    [
        *("0", "-900", "true", "{ width = true }", "900.5", '"900"', '"as-is"', "[900]", "{}", '{ wider = "cut" }'),
        *('{ width = 900, wider = "pad" }', "{ width = 900, narrower = 1 }"),
    ],
)
def test_an_unknown_form_of_records(tmp_path: Path, written_as: str) -> None:
    reasons = refused(written(tmp_path, f"{TEXT}records = {written_as}"))
    assert all(reason.startswith("operations.Fetch.records") for reason in reasons)


@pytest.mark.parametrize(
    "zone", ["Nowhere/Zone", "", "../../etc/passwd", "/etc/passwd", "America", "a\\u0000b", "EST5EDT4"]
)
def test_an_unknown_zone(tmp_path: Path, zone: str) -> None:
    text = TEXT.replace("America/New_York", zone)
    (reason,) = refused(written(tmp_path, text))
    assert reason.startswith("operations.Fetch.zone: ")


@pytest.mark.parametrize(
    ("written_as", "expected"),
    [
        ('".NET en-US"', (".NET en-US",)),
        ('"D/M/YYYY"', ("D/M/YYYY",)),
        ('[".NET en-US", "YYYYMMDD"]', (".NET en-US", "YYYYMMDD")),
        ('["D/M/YY"]\npivot = 2049', ("D/M/YY",)),
    ],
)
def test_forms_of_dates(tmp_path: Path, written_as: str, expected: tuple[str, ...]) -> None:
    text = TEXT.replace('["MM/DD/YYYY", "ISO 8601"]', written_as)
    assert mapping.load(written(tmp_path, text))["Fetch"].dates == expected


def test_a_default(tmp_path: Path) -> None:
    text = TEXT.replace('{ value = "TOEFL" }', '{ parameter = "program", default = "TOEFL" }')
    found = mapping.load(written(tmp_path, text))["Fetch"]
    assert found.type == OptionalParameter(parameter="program", default="TOEFL")
    assert str(found.type) == "program or TOEFL"
    assert ("type", "program") in found.parameters


def test_an_unavailable_operation_needs_nothing_else(tmp_path: Path) -> None:
    found = mapping.load(written(tmp_path, '[operations.Old]\nunavailable = "gone"'))
    assert found["Old"].parameters == ()


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        pytest.param('startdate = "from"', "", "operations.Fetch: startdate missing", id="one missing"),
        pytest.param('"by"', '""', "operations.Fetch: reportby missing", id="one empty"),
        pytest.param("enddate", "endate", "operations.Fetch.endate: no such setting", id="misspelt"),
        pytest.param('"until"', "3", "operations.Fetch.enddate: ", id="of another type"),
        pytest.param("value", "fixed", "operations.Fetch.type", id="misspelt fixed value"),
        pytest.param('["user", "pass"]', '["user"]', "operations.Fetch.credentials", id="half of the credentials"),
        pytest.param("MM/DD/YYYY", "mm/dd/yyyy", "operations.Fetch.dates: ", id="form of date"),
        pytest.param('"ISO 8601"]', "3]", "operations.Fetch.dates.1: ", id="number as a form of date"),
        pytest.param(
            '"ISO 8601"',
            '"DD/MM/YYYY"',
            'operations.Fetch.dates: "MM/DD/YYYY" and "DD/MM/YYYY" read 11/12/2010 as different dates: '
            "keep the form that clients write",
            id="ambiguous dates",
        ),
        pytest.param('"ISO 8601"', '"D/M/YY"', 'operations.Fetch.dates: "D/M/YY" needs pivot', id="no pivot"),
        pytest.param(
            'format = "json"', "pivot = 2049", "operations.Fetch.dates: pivot is the last year that YY", id="idle pivot"
        ),
        pytest.param('format = "json"', "pivot = 49", "operations.Fetch.pivot: ", id="pivot of two digits"),
        pytest.param('format = "json"', 'pivot = "2049"', "operations.Fetch.pivot: ", id="pivot as text"),
        pytest.param(
            '{ value = "TOEFL" }', '{ parameter = "Type" }', "operations.Fetch.type", id="optional without default"
        ),
        pytest.param(
            '{ value = "TOEFL" }',
            '{ parameter = "Type", default = "" }',
            "operations.Fetch.type",
            id="empty default",
        ),
        pytest.param('"json"', '"csv"', "operations.Fetch.format: ", id="format"),
        pytest.param('"in-band"', '"inband"', "operations.Fetch.errors: ", id="errors"),
        pytest.param('"nil"', '"null"', "operations.Fetch.empty: ", id="empty"),
        pytest.param(
            '"nil"',
            '"nil"\nrecords = 900',
            'operations.Fetch: records must be "as-sent" where format is "json"',
            id="JSON",
        ),
        pytest.param('"nil"', '"nil"\nzones = 3', "operations.Fetch.zones: no such setting", id="unknown key"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, reason: str) -> None:
    reasons = refused(written(tmp_path, WHOLE.replace(old, new)))
    assert any(found.startswith(reason) for found in reasons), reasons


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    both = WHOLE.replace('startdate = "from"', "") + WHOLE.replace("Fetch", "Other").replace('"json"', '"csv"')
    reasons = refused(written(tmp_path, both))
    assert [reason.partition(":")[0] for reason in reasons] == ["operations.Fetch", "operations.Other.format"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("[operations", id="not TOML"),
        pytest.param(b"\xff", id="not UTF-8"),
        pytest.param("operations = 3", id="no table"),
        pytest.param(WHOLE + "[other]", id="another table"),
    ],
)
def test_a_file_that_is_not_a_mapping(tmp_path: Path, text: str | bytes) -> None:
    assert refused(written(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert refused(tmp_path / "nothing.toml")


class TestReportingBy:
    def test_everything_else_stays(self, tmp_path: Path) -> None:
        before = mapping.load(written(tmp_path, TEXT + "records = 900"))["Fetch"]
        after = before.reporting_by("synthetic")
        assert after == before.model_copy(update={"reportby": FixedValue(value="synthetic")})
        assert (after.zone, after.records) == (ZoneInfo("America/New_York"), RecordWidth(width=900))

    def test_it_makes_an_unavailable_operation_answer(self) -> None:
        found = mapping.load(calls.MAPPING)["getScorelinkData"].reporting_by("synthetic")
        assert (found.unavailable, found.reportby) == ("", FixedValue(value="synthetic"))
        assert (found.startdate, found.errors) == ("teststartdate", "in-band")

    def test_what_is_still_missing_is_named(self) -> None:
        with pytest.raises(ValidationError, match="startdate, enddate, type missing"):
            OperationMapping(unavailable="gone").reporting_by("synthetic")


def test_a_fixed_value_is_shown_as_one() -> None:
    assert str(FixedValue(value="TOEFL")) == "always TOEFL"
