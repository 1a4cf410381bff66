from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.config.files import GOOD, loaded, refused

RETIREMENT = '[retirement]\ninfo_url = "https://it.example.edu/end"\n'


class TestRetirement:
    @pytest.mark.parametrize("url", ["https://example.edu/end", "http://example.edu/end?id=1#then", "https://a/?b#c"])
    def test_the_page_may_have_a_query_and_a_fragment(self, tmp_path: Path, url: str) -> None:
        assert loaded(tmp_path, f'{GOOD}[retirement]\ninfo_url = "{url}"\n').retirement.info_url == url

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "example.edu",
            "javascript:alert(1)",
            "https://a:b@example.edu/",
            "https:// a/",
            "https://a/?b c",
            "https://a/#\\r\\nSet-Cookie: b",
            "https://a/>;<https://b/",
            "https://a/?b=\u00fc",
            f"https://a/{'b' * 200}",
        ],
    )
    def test_a_wrong_page_is_refused(self, tmp_path: Path, url: str) -> None:
        (reason,) = refused(tmp_path, f'{GOOD}[retirement]\ninfo_url = "{url}"\n')
        assert reason.startswith("retirement.info_url: ")

    def test_the_page_is_optional(self, tmp_path: Path) -> None:
        assert loaded(tmp_path).retirement.info_url is None

    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("2027-06-30", datetime(2027, 6, 30, tzinfo=UTC)),
            ("2027-06-30T12:00:00Z", datetime(2027, 6, 30, 12, tzinfo=UTC)),
            ("2027-06-30 12:00:00.9-05:00", datetime(2027, 6, 30, 17, tzinfo=UTC)),
        ],
    )
    @pytest.mark.parametrize("quote", ["", '"'], ids=["date", "text"])
    def test_a_date(self, tmp_path: Path, text: str, moment: datetime, quote: str) -> None:
        found = loaded(tmp_path, f"{GOOD}{RETIREMENT}sunset = {quote}{text}{quote}\n").retirement.sunset
        assert (found, found and found.tzinfo) == (moment, UTC)

    def test_dates_from_the_environment(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TOEFL_SHIM_RETIREMENT__DEPRECATED", "2026-12-01")
        window = '{"start": "2027-05-03T14:00:00Z", "end": "2027-05-04", "exempt": ["main"]}'
        monkeypatch.setenv("TOEFL_SHIM_RETIREMENT__BROWNOUTS", f"[{window}]")
        found = loaded(tmp_path, f"{GOOD}{RETIREMENT}").retirement
        assert found.deprecated == datetime(2026, 12, 1, tzinfo=UTC)
        (brownout,) = found.brownouts
        assert (brownout.start, brownout.end) == (
            datetime(2027, 5, 3, 14, tzinfo=UTC),
            datetime(2027, 5, 4, tzinfo=UTC),
        )
        assert (brownout.hits("main"), brownout.hits("this-machine"), brownout.dry_run) == (False, True, False)

    @pytest.mark.parametrize(
        "text", ["2027-06-30T12:00:00", '"2027-02-30"', '"soon"', "5", "12:00:00", "true", '"0001-01-01T00:00+14:00"']
    )
    def test_a_wrong_date_is_refused(self, tmp_path: Path, text: str) -> None:
        (reason,) = refused(tmp_path, f"{GOOD}{RETIREMENT}sunset = {text}\n")
        assert reason.startswith("retirement.sunset: is not a date")

    def test_all_mistakes_in_the_dates_are_reported_at_once(self, tmp_path: Path) -> None:
        text = """\
        [retirement]
        deprecated = 2027-02-01
        sunset = 2027-01-01
        brownouts = [
            { start = 2027-03-02, end = 2027-03-01 },
            { start = 2026-03-01, end = 2026-03-02, callers = ["main", "absent"] },
            { start = 2026-03-02, end = 2026-03-03, exempt = ["main", "this-machine"] },
            { start = 2026-03-02, end = 2026-03-05, callers = ["main"] },
            { start = 2026-03-01, end = 2026-03-05, dry_run = true },
        ]"""
        assert refused(tmp_path, f"{GOOD}{text}") == [
            "retirement.info_url: is required with deprecated, sunset or brownouts, which refer callers to it",
            "retirement.sunset: is before deprecated",
            "retirement.brownouts.0: ends before it starts",
            "retirement.brownouts.0: ends after the sunset",
            "retirement.brownouts.1: starts before deprecated",
            "retirement.brownouts.2: starts before deprecated",
            "retirement.brownouts.3: starts before deprecated",
            "retirement.brownouts.4: starts before deprecated",
            "retirement.brownouts.1: no caller is named absent",
            "retirement.brownouts.2: affects no caller",
            "retirement.brownouts.3: overlaps or touches brownouts.1 for main",
        ]

    def test_the_example_in_the_documents(self, tmp_path: Path) -> None:
        text = (Path(__file__).parents[2] / "MIGRATION.md").read_text(encoding="utf-8")
        example = text[text.index("[retirement]\n") : text.index("```\n\n1. **Announce.**")]
        callers = "".join(f'[[callers]]\nname = "{name}"\nanybody = true\n' for name in ("registrar-import", "other"))
        found = loaded(tmp_path, f"{GOOD}{callers}{example}").retirement
        assert [brownout.dry_run for brownout in found.brownouts] == [True, False, False]

    def test_brownouts_of_different_callers_may_overlap(self, tmp_path: Path) -> None:
        window = "start = 2027-03-01, end = 2027-03-02"
        text = f'brownouts = [{{ {window}, callers = ["main"] }}, {{ {window}, exempt = ["main"] }}]\n'
        assert len(loaded(tmp_path, f"{GOOD}{RETIREMENT}{text}").retirement.brownouts) == 2

    @pytest.mark.parametrize(
        "more", ["deprecated = 2027-01-01", "brownouts = [{start = 2027-01-01, end = 2027-01-02}]"]
    )
    def test_dates_require_a_page(self, tmp_path: Path, more: str) -> None:
        (line,) = refused(tmp_path, f"{GOOD}[retirement]\n{more}\n")
        assert line.startswith("retirement.info_url: is required")
