import json
import logging
import re
from collections.abc import Iterator

import pytest
import structlog

from shim import errors, log
from shim.web import correlation

SILENCED = ("spyne", "zeep", "urllib3", "requests")


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Put the loggers back as they were."""
    loggers = [logging.getLogger(name) for name in SILENCED]
    before = [(logger.handlers, logger.propagate, logger.level) for logger in loggers]
    yield
    structlog.reset_defaults()
    for logger, (handlers, propagate, level) in zip(loggers, before, strict=True):
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    out, err = capsys.readouterr()
    assert out == ""
    return [json.loads(line) for line in err.splitlines()]


def test_request_numbers() -> None:
    numbers = {correlation.request_number() for _ in range(1000)}
    assert len(numbers) == 1000
    assert all(re.fullmatch(r"[0-9a-f]{16}", number) for number in numbers)


class TestLines:
    def test_a_line_is_json_on_standard_error(self, capsys: pytest.CaptureFixture[str]) -> None:
        log.configure()
        structlog.get_logger().info("call", outcome="ok", records=3, request="0" * 16)
        (line,) = lines(capsys)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", str(line.pop("timestamp")))
        assert line == {"event": "call", "level": "info", "outcome": "ok", "records": 3, "request": "0" * 16}

    def test_a_line_break_in_a_value_makes_no_second_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        log.configure()
        structlog.get_logger().info("call", note='a\n{"event": "forged"}')
        assert [line["event"] for line in lines(capsys)] == ["call"]

    @pytest.mark.parametrize("field", ["password", "authcode", "body", "exc_info", "query"])
    def test_a_field_that_is_not_on_the_list_is_dropped_and_named(
        self, capsys: pytest.CaptureFixture[str], field: str
    ) -> None:
        log.configure()
        structlog.get_logger().info("call", outcome="ok", another=1, **{field: "synthetic-secret"})
        (line,) = lines(capsys)
        assert line["outcome"] == "ok"
        assert line["dropped"] == sorted((field, "another"))
        assert "synthetic-secret" not in str(line)

    def test_every_field_of_the_list_is_kept(self, capsys: pytest.CaptureFixture[str]) -> None:
        log.configure()
        own = log.FIELDS - {"event", "level", "timestamp"}
        structlog.get_logger().info("call", **dict.fromkeys(own, "x"))
        (line,) = lines(capsys)
        assert line.keys() == log.FIELDS
        assert {line[name] for name in own} == {"x"}

    @pytest.mark.parametrize(
        ("level", "expected"), [("info", ["info", "warning"]), ("warning", ["warning"]), ("error", [])]
    )
    def test_levels(self, capsys: pytest.CaptureFixture[str], level: str, expected: list[str]) -> None:
        log.configure(level)
        logger = structlog.get_logger()
        logger.debug("call")
        logger.info("call")
        logger.warning("call")
        assert [line["level"] for line in lines(capsys)] == expected

    def test_a_terminal_gets_readable_lines(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.stderr.isatty", lambda: True)
        log.configure()
        structlog.get_logger().info("call", outcome="ok", password="synthetic-secret")
        err = capsys.readouterr().err
        assert "call" in err
        assert not err.startswith("{")
        assert "synthetic-secret" not in err


class TestSilence:
    @pytest.mark.parametrize("name", [*SILENCED, "spyne.protocol.xml", "urllib3.connectionpool", "zeep.transports"])
    @pytest.mark.parametrize("level", [logging.DEBUG, logging.ERROR, logging.CRITICAL])
    def test_libraries_below_say_nothing(self, capsys: pytest.CaptureFixture[str], name: str, level: int) -> None:
        root = logging.getLogger()
        handler = logging.StreamHandler()
        root.addHandler(handler)
        try:
            log.configure()
            logging.getLogger(name).log(level, "synthetic-secret")
        finally:
            root.removeHandler(handler)
        assert lines(capsys) == []


class TestWhere:
    def test_the_innermost_line_and_no_text(self) -> None:
        def inner() -> None:
            raise KeyError("synthetic-secret")

        with pytest.raises(KeyError) as caught:
            inner()
        assert errors.location(caught.value) == f"KeyError in {__name__}:{inner.__code__.co_firstlineno + 1}"

    def test_one_that_was_never_raised(self) -> None:
        assert errors.location(ValueError("synthetic-secret")) == "ValueError in ?"
