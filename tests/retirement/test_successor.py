"""The programs that replace a caller's calls: built, run, and run against every failure."""

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html
from typer.testing import CliRunner

from shim.cli import cli
from shim.ledger.summary import LastQuery
from shim.retirement import successor
from shim.retirement.successor import FILE_NAMES, LANGUAGES, Language
from shim.sandbox import DEMO_AUTHCODE, Faults, Options, Sandbox
from tests.gateway import running_gateway
from tests.guide import QUERY, REQUEST_LINE
from tests.ledger.summaries import caller, summary
from tests.processes import wait_until
from tests.soap_http import envelope, post
from tests.tools import require

GUIDE: Final = LastQuery(operation="GetScores", **QUERY)
HOSTILE: Final = replace(
    GUIDE,
    operation="G\n*/\r\u2028\\u000a\"'`$(exit 9)",
    type="\"'\\`$(exit 9)\n; exit 9 #",
    reportby="é漢😀 {{ 7 }}%s%%&a=b+\\u0022\t\x00",
)

_MONO: Final = "apt-get install -y --no-install-recommends mono-mcs mono-devel"
_JAVA: Final = "apt-get install -y --no-install-recommends default-jdk-headless"
_CURL: Final = "apt-get install -y --no-install-recommends curl"

Program = list[str]


def _csharp(source: Path) -> Program:
    program = source.with_suffix(".exe")
    compiler = [require("mcs", install=_MONO), "-warnaserror", "-r:System.Net.Http", f"-out:{program}"]
    subprocess.run([*compiler, str(source)], check=True)
    return [require("mono", install=_MONO), str(program)]


def _java(source: Path) -> Program:
    subprocess.run([require("javac", install=_JAVA), "-Xlint:all", "-Werror", str(source)], check=True)
    return [require("java", install=_JAVA), "-cp", str(source.parent), source.stem]


def _python(source: Path) -> Program:
    return [sys.executable, "-W", "error", str(source)]


def _curl(source: Path) -> Program:
    require("curl", install=_CURL)
    return ["sh", str(source)]


_BUILDERS: Final[dict[Language, Callable[[Path], Program]]] = {
    "csharp": _csharp,
    "java": _java,
    "python": _python,
    "curl": _curl,
}


@pytest.fixture(scope="module")
def running_sandbox() -> Iterator[Sandbox]:
    # Names in Latin-1: the bytes are not UTF-8, so a program that decodes them fails.
    with Sandbox(Options(names="latin-1")) as running:
        yield running


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Iterator[Sandbox]:
    running_sandbox.requests.clear()
    yield running_sandbox
    running_sandbox.faults = Faults()


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> Language:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def program(language: Language, running_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Program:
    return _built(language, running_sandbox.url, GUIDE, tmp_path_factory.mktemp(language))


def _built(language: Language, url: str, query: LastQuery, folder: Path, **changes: str) -> Program:
    text = successor.program(language, url, query)
    assert DEMO_AUTHCODE not in text
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    source = folder / FILE_NAMES[language]
    source.write_text(text, encoding="utf-8")
    return _BUILDERS[language](source)


def _run(program: Program, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TOEFL_")}
    return subprocess.run([*program, *arguments], env=clean | environment, capture_output=True, timeout=60, check=False)


def _failed(ran: "subprocess.CompletedProcess[bytes]") -> str:
    """Return the message of a program that failed and wrote no scores."""
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert DEMO_AUTHCODE.encode() not in ran.stderr
    return ran.stderr.decode()


@pytest.fixture(scope="module")
def legacy(running_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The score file that answers the guide's SOAP call."""
    with running_gateway(running_sandbox.url, tmp_path_factory.mktemp("gateway")) as gateway:
        answered = post(gateway.url, envelope()).result
    assert answered
    return answered


def test_it_writes_the_bytes_of_the_soap_call(
    program: Program, legacy: bytes, sandbox: Sandbox, tmp_path: Path
) -> None:
    ran = _run(program, TOEFL_AUTHCODE=DEMO_AUTHCODE)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, legacy, b"")
    # The authcode from a file with a line break at its end, and the scores to a file.
    authcode, scores = tmp_path / "authcode", tmp_path / "scores"
    authcode.write_text(f"{DEMO_AUTHCODE}\n")
    ran = _run(program, str(scores), TOEFL_AUTHCODE_FILE=str(authcode))
    assert (ran.returncode, ran.stdout, ran.stderr, scores.read_bytes()) == (0, b"", b"", legacy)
    assert {request.line for request in sandbox.requests} == {REQUEST_LINE}


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        (Faults(status=503), "503"),
        (Faults(html=True), "HTML"),
        (Faults(cut=5000), ""),
        (Faults(cut=5000, chunked=True), ""),
    ],
    ids=["503", "html", "cut", "cut-chunked"],
)
def test_a_failure_leaves_no_scores_and_says_why(
    faults: Faults, said: str, program: Program, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.faults = faults
    file = tmp_path / "scores"
    file.write_bytes(b"of yesterday")
    told = _failed(_run(program, str(file), TOEFL_AUTHCODE=DEMO_AUTHCODE))
    assert said in told
    assert told.strip()
    assert file.read_bytes() == b"of yesterday"


def test_the_authcode_does_not_follow_a_redirect(program: Program, sandbox: Sandbox) -> None:
    with Sandbox() as elsewhere:
        sandbox.faults = Faults(location=elsewhere.url)
        assert "302" in _failed(_run(program, TOEFL_AUTHCODE=DEMO_AUTHCODE))
        assert not elsewhere.requests


def test_a_wrong_authcode_or_none(program: Program, sandbox: Sandbox) -> None:
    assert "401" in _failed(_run(program, TOEFL_AUTHCODE="c3ludGhldGljOm90aGVy"))
    assert "TOEFL_AUTHCODE" in _failed(_run(program))
    # The message does not contain a malformed authcode: libraries repeat a header that they cannot send.
    malformed = _failed(_run(program, TOEFL_AUTHCODE="synthetic\nX-Other: secret"))
    assert "There is no authcode" in malformed
    assert "secret" not in malformed
    assert len(sandbox.requests) == 1


def test_an_empty_range_is_a_success(program: Program, sandbox: Sandbox) -> None:
    options = sandbox.options
    sandbox.options = Options(records=0)
    try:
        ran = _run(program, TOEFL_AUTHCODE=DEMO_AUTHCODE)
    finally:
        sandbox.options = options
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")


_TIMEOUTS: Final[dict[Language, tuple[str, str]]] = {
    "csharp": ("FromMinutes(5)", "FromSeconds(1)"),
    "java": ("5, TimeUnit.MINUTES", "1, TimeUnit.SECONDS"),
    "python": ("timeout=(10, 60)", "timeout=(10, 1)"),
    "curl": ("--max-time 300", "--max-time 1"),
}


def test_a_hostile_query_is_sent_as_it_is(language: Language, tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        program = _built(language, sandbox.url, HOSTILE, tmp_path)
        ran = _run(program, TOEFL_AUTHCODE=DEMO_AUTHCODE)
        assert (ran.returncode, ran.stderr, len(ran.stdout) > 1000) == (0, b"", True)
        query = parse_qs(urlsplit(sandbox.requests[0].line.split()[1]).query)
        assert (query["type"], query["reportby"]) == ([HOSTILE.type], [HOSTILE.reportby])


def test_a_slow_answer_times_out(language: Language, tmp_path: Path) -> None:
    with Sandbox(faults=Faults(delay=50)) as sandbox:
        program = _built(language, sandbox.url, GUIDE, tmp_path, **dict([_TIMEOUTS[language]]))
        assert _failed(_run(program, TOEFL_AUTHCODE=DEMO_AUTHCODE)).strip()


def _literals(language: Language, text: str) -> list[str]:
    """Return the address, the dates and the rest as the language reads them."""
    if language == "python":
        assigned = [node for node in ast.parse(text).body if isinstance(node, ast.Assign)]
        return [ast.literal_eval(node.value) for node in assigned[:4]]
    if language == "curl":
        lines = [line for line in text.splitlines() if re.match("(address|startdate|enddate|rest)=", line)]
        return [shlex.split(line, comments=True)[0].partition("=")[2] for line in lines]
    return [json.loads(found) for found in re.findall(r'^ {4}(?:const|static final).* = (".*");', text, re.MULTILINE)]


@given(type_=st.text(), reportby=st.text(), operation=st.text(), upstream=st.sampled_from(["", "'", '"', "\\", "$(x)"]))
def test_no_text_escapes_its_literal(type_: str, reportby: str, operation: str, upstream: str) -> None:
    query = replace(GUIDE, type=type_, reportby=reportby, operation=operation)
    for language in LANGUAGES:
        text = successor.program(language, f"https://example.org/{upstream}", query)
        plain = successor.program(language, "https://example.org/", GUIDE)
        assert text.isascii()
        assert len(text.splitlines()) == len(plain.splitlines())
        address, start, end, rest = _literals(language, text)
        assert f"{address}?startdate={start}&enddate={end}&{rest}" == successor.url(address, query)
        asked = parse_qs(rest, keep_blank_values=True, strict_parsing=True)
        assert asked == {"type": [type_], "reportby": [reportby]}


def test_the_authcode_is_no_argument_of_curl(sandbox: Sandbox, tmp_path: Path) -> None:
    program = _built("curl", sandbox.url, GUIDE, tmp_path)
    real = require("curl", install=_CURL)
    spy = tmp_path / "bin" / "curl"
    spy.parent.mkdir()
    spy.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" >{tmp_path}/arguments\nenv >>{tmp_path}/arguments\nexec {real} "$@"\n'
    )
    spy.chmod(0o755)
    authcode = tmp_path / "authcode"
    authcode.write_text(DEMO_AUTHCODE)
    ran = _run(program, TOEFL_AUTHCODE_FILE=str(authcode), PATH=f"{spy.parent}:{os.environ['PATH']}")
    assert (ran.returncode, len(ran.stdout) > 1000) == (0, True)
    seen = (tmp_path / "arguments").read_text()
    assert "--header\n@-\n" in seen
    assert DEMO_AUTHCODE not in seen


def test_the_url_is_the_one_that_the_gateway_sends() -> None:
    path = successor.url("https://example.org/scores", GUIDE).removeprefix("https://example.org")
    assert f"GET {path} HTTP/1.1" == REQUEST_LINE


def test_a_json_call_is_replaced_by_a_json_request(language: Language, sandbox: Sandbox) -> None:
    json_query = replace(GUIDE, format="json")
    assert successor.url(sandbox.url, json_query) == f"{successor.url(sandbox.url, GUIDE)}&format=json"
    assert _literals(language, successor.program(language, sandbox.url, json_query))[-1].endswith("&format=json")


def test_the_query_is_selected_by_caller_and_operation() -> None:
    other = replace(GUIDE, operation="getScorelinkDataByReportDate")
    known = summary(caller("one"), caller("two", last_queries=(GUIDE, other)), caller("none", last_queries=()))
    assert successor.select_query(known, "one", None) == GUIDE
    assert successor.select_query(known, "two", other.operation) == other
    for name, operation, reason in (
        ("two", None, "choose one --operation of GetScores, getScorelinkDataByReportDate"),
        ("two", "getEDIData", "no call of getEDIData"),
        ("none", None, "none: no call has been answered"),
        ("three", None, "has no caller of this name"),
    ):
        with pytest.raises(LookupError, match=reason):
            successor.select_query(known, name, operation)


def test_from_a_call_to_its_successor(sandbox: Sandbox, legacy: bytes, tmp_path: Path) -> None:
    ledger = f"sqlite:///{tmp_path}/ledger.db"
    with running_gateway(sandbox.url, tmp_path / "gateway", {"ledger": {"url": ledger}}) as gateway:
        assert post(gateway.url, envelope()).result == legacy
        wait_until(lambda: "this-machine" in gateway.admin("/").text, "figures")
        assert "No, do not switch the gateway off today." in gateway.admin("/").text
        shown = html.fromstring(gateway.admin("/successor?caller=this-machine").content)
    environment = {
        "TOEFL_SHIM_UPSTREAM__URL": sandbox.url,
        "TOEFL_SHIM_LEDGER__URL": ledger,
        "TOEFL_SHIM_AUTHCODES": json.dumps([{"name": "main", "env": "UNUSED"}]),
    }

    def told(*arguments: str) -> str:
        ran = CliRunner().invoke(cli, ["successor", *arguments], env=environment)
        return ran.stdout if ran.exit_code == 0 else f"{ran.exit_code} {ran.output}"

    assert told("this-machine") == f"{successor.url(sandbox.url, GUIDE)}\n"
    for language in LANGUAGES:
        program = successor.program(language, sandbox.url, GUIDE)
        assert told("this-machine", "--operation", "GetScores", "--lang", language) == program
        assert program.strip() in ["".join(map(str, block.itertext())).strip() for block in shown.iter("pre")]
    assert told("nobody", "--lang", "curl").startswith("1 refused nobody: the ledger has no caller of this name")
