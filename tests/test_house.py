"""The rules of the house: which room may import which."""

import ast
from pathlib import Path

import pytest

import shim

_ROOT = Path(shim.__file__).parent
_MODULES = {
    ".".join(path.relative_to(_ROOT.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in _ROOT.rglob("*.py")
}
_PURE = {
    f"shim.{name}"
    for name in (
        "errors",
        "query",
        "scorelink",
        "soap.dialect",
        "soap.envelope",
        "soap.parser",
        "soap.answer",
        "soap.result",
        "soap.dates",
        "soap.software",
        "retirement.tally",
    )
}


def _imports(name: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(_MODULES[name].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            submodules = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= submodules & _MODULES.keys() or {node.module}
    return found & _MODULES.keys() - {"shim"}


@pytest.mark.parametrize("name", [name for name in _MODULES if name.startswith("shim.soap")])
def test_the_legacy_face_does_not_know_the_rest_face(name: str) -> None:
    forbidden = {
        module for module in _imports(name) if module.startswith(("shim.rest.", "shim.access", "shim.retirement"))
    }
    assert forbidden <= {"shim.access.proof", "shim.retirement.policy"}


@pytest.mark.parametrize("name", [name for name in _MODULES if name.startswith("shim.rest")])
def test_the_rest_face_does_not_know_the_legacy_face(name: str) -> None:
    assert not {module for module in _imports(name) if module.startswith("shim.soap")}


@pytest.mark.parametrize("name", sorted(_PURE))
def test_pure_modules_import_nothing_but_each_other(name: str) -> None:
    assert _imports(name) <= _PURE


def test_the_gateway_that_answers_does_not_load_what_only_commands_and_the_writer_need() -> None:
    seen: set[str] = set()
    left = {"shim.cli", "shim.server"}
    while left:
        name = left.pop()
        seen.add(name)
        left |= _imports_at_once(name) & _MODULES.keys() - seen
        assert not {module.partition(".")[0] for module in _imports_at_once(name)} & {"sqlalchemy", "alembic"}, name
    assert "shim.retirement.journal" in seen


def _imports_at_once(name: str) -> set[str]:
    """What a module imports when it is imported itself."""
    found = set()
    for node in ast.parse(_MODULES[name].read_text()).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_no_import_goes_in_a_circle() -> None:
    left = {name: _imports(name) - {name} for name in _MODULES}
    while free := {name for name, imports in left.items() if not imports & left.keys()}:
        for name in free:
            del left[name]
    assert not left


@pytest.mark.parametrize(("room", "most"), [("retirement", 1590), ("", 4630)])
def test_a_room_can_be_read_in_an_afternoon(room: str, most: int) -> None:
    """The way of a call in one afternoon, how the gateway ends in another; the sandbox is no part of either."""
    rooms = {path: path.relative_to(_ROOT).parts[0] for path in _MODULES.values()}
    read = [path for path, its in rooms.items() if (its == room if room else its not in {"sandbox", "retirement"})]
    assert sum(map(_lines_of_code, read)) <= most


def _lines_of_code(path: Path) -> int:
    """Lines that are neither blank nor comment nor docstring: what is read as code."""
    text = path.read_text()
    nodes = [
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
    ]
    documented = [node.body[0] for node in nodes if ast.get_docstring(node)]
    docstrings = {line for node in documented for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
    return sum(
        bool(line.strip()) and not line.strip().startswith("#") and number not in docstrings
        for number, line in enumerate(text.splitlines(), 1)
    )
