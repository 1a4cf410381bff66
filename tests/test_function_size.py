"""How long and how complex a function of the gateway may be."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from radon.complexity import cc_visit

import shim

_ROOT: Final = Path(shim.__file__).parent
_LONGEST: Final = 40
"""Lines, from ``def`` to the last one."""
_MOST_COMPLEX: Final = 10
"""Cyclomatic complexity as radon counts it, with boolean operators and comprehensions."""


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    yield from (node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_no_function_is_too_long() -> None:
    long = [
        f"{path.relative_to(_ROOT)}:{node.name}"
        for path in _ROOT.rglob("*.py")
        for node in _functions(path)
        if (node.end_lineno or node.lineno) - node.lineno >= _LONGEST
    ]
    assert not long


def test_no_function_is_too_complex() -> None:
    complex_ = [
        f"{path.relative_to(_ROOT)}:{block.fullname} {block.complexity}"
        for path in _ROOT.rglob("*.py")
        for block in cc_visit(path.read_text(encoding="utf-8"))
        if block.complexity > _MOST_COMPLEX
    ]
    assert not complex_
