from pathlib import Path

import pytest

from shim.soap import mapping
from shim.soap.mapping import Fixed, MappingError, Meaning
from tests.soap import calls

WHOLE = """\
[operations.Fetch]
startdate = "from"
enddate = "until"
type = { value = "TOEFL" }
reportby = "by"
credentials = ["user", "pass"]
dates = ["MM/DD/YYYY", "ISO 8601"]
format = "json"
"""


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
    assert found["GetScores"].parameters == ("StartDate", "EndDate", "Type", "ReportBy")
    by_report_date = found["getScorelinkDataByReportDate"]
    assert by_report_date.parameters == ("reportstartdate", "reportenddate", "userName", "password")
    assert (by_report_date.type, by_report_date.reportby) == (
        Fixed(value="TOEFL"),
        Fixed(value="scorelinkbyreportdate"),
    )
    assert [name for name, meaning in found.items() if meaning.unavailable] == ["getScorelinkData", "getEDIData"]


def test_all_that_can_be_said(tmp_path: Path) -> None:
    assert mapping.load(written(tmp_path, WHOLE)) == {
        "Fetch": Meaning(
            startdate="from",
            enddate="until",
            type=Fixed(value="TOEFL"),
            reportby="by",
            credentials=("user", "pass"),
            dates=("MM/DD/YYYY", "ISO 8601"),
            format="json",
        )
    }


def test_what_is_not_said(tmp_path: Path) -> None:
    meaning = mapping.load(written(tmp_path, calls.GET_SCORES_MAPPING))["GetScores"]
    assert (meaning.dates, meaning.format, meaning.credentials, meaning.unavailable) == (
        ("ISO 8601",),
        "text",
        None,
        "",
    )


def test_an_unavailable_operation_needs_nothing_else(tmp_path: Path) -> None:
    found = mapping.load(written(tmp_path, '[operations.Old]\nunavailable = "gone"'))
    assert found["Old"].parameters == ()


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        pytest.param('startdate = "from"', "", "operations.Fetch: says nothing of startdate", id="one missing"),
        pytest.param('"by"', '""', "operations.Fetch: says nothing of reportby", id="one empty"),
        pytest.param("enddate", "endate", "operations.Fetch.endate: Extra inputs", id="misspelt"),
        pytest.param('"until"', "3", "operations.Fetch.enddate: ", id="of another type"),
        pytest.param("value", "fixed", "operations.Fetch.type", id="misspelt fixed value"),
        pytest.param('["user", "pass"]', '["user"]', "operations.Fetch.credentials", id="half of the credentials"),
        pytest.param("MM/DD/YYYY", "DD/MM/YYYY", "operations.Fetch.dates.0: ", id="form of date"),
        pytest.param('"json"', '"csv"', "operations.Fetch.format: ", id="format"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, reason: str) -> None:
    reasons = refused(written(tmp_path, WHOLE.replace(old, new)))
    assert any(found.startswith(reason) for found in reasons), reasons


def test_every_reason_is_named_at_once(tmp_path: Path) -> None:
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
def test_a_file_that_is_no_mapping(tmp_path: Path, text: str | bytes) -> None:
    assert refused(written(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert refused(tmp_path / "nothing.toml")
