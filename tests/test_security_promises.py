"""SECURITY.md: each promise names a test that exists."""

import ast
import re
from pathlib import Path
from typing import Final

import pytest

_ROOT: Final = Path(__file__).parent.parent
_TEXT: Final = (_ROOT / "SECURITY.md").read_text(encoding="utf-8")
_NAMED: Final = re.findall(r"`(tests/[^`\s]+)`", _TEXT)


def _names(body: list[ast.stmt]) -> dict[str, list[ast.stmt]]:
    """The functions and classes of a module or class, and what stands in each."""
    return {node.name: node.body for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def _missing(reference: str) -> str:
    """The first part of ``FILE::CLASS::FUNCTION`` that does not exist; empty if all do."""
    file, *parts = reference.split("::")
    if not (_ROOT / file).exists():
        return file
    body = ast.parse((_ROOT / file).read_text(encoding="utf-8")).body if parts else []
    for part in parts:
        names = _names(body)
        if part not in names:
            return part
        body = names[part]
    return ""


@pytest.mark.parametrize("reference", sorted(set(_NAMED)))
def test_a_named_test_exists(reference: str) -> None:
    assert not _missing(reference), f"SECURITY.md names {reference}: {_missing(reference)} does not exist"


def test_every_promise_names_a_test() -> None:
    tables = re.findall(r"\| promise \| test \|\n\|---\|---\|\n((?:\|.*\n)+)", _TEXT)
    rows = [row for table in tables for row in table.splitlines()]
    assert len(rows) > 25
    assert not [row for row in rows if "`tests/" not in row]


def test_a_renamed_test_is_noticed() -> None:
    assert _missing("tests/test_security_promises.py::test_a_renamed_test_is_noticed") == ""
    assert _missing("tests/test_security_promises.py::test_other") == "test_other"
    assert _missing("tests/test_other.py::test_other") == "tests/test_other.py"
