"""The architecture's rules: which package may import which, and how long and how complex a function may be."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

import shim

_ROOT: Final = Path(shim.__file__).parent
_MODULES: Final = {
    ".".join(path.relative_to(_ROOT.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in _ROOT.rglob("*.py")
}
# Each package may import those that stand before it, and no other.
_LAYERS: Final = (
    "errors",
    "log",
    "query",
    "call_record",
    "shared",
    "spool",
    "wire",
    "config",
    "contracts",
    "upstream",
    "access",
    "ledger",
    "retirement",
    "pipeline",
    "compare",
    "web",
    "sandbox",
    "app",
    "cli",
    "__main__",
)


def _layer(module: str) -> str:
    return module.split(".")[1]


def _imports(name: str) -> set[str]:
    """The modules of the package that a module imports, wherever in its text."""
    found = set()
    for node in ast.walk(ast.parse(_MODULES[name].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            submodules = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= submodules & _MODULES.keys() or {node.module}
    return found & _MODULES.keys() - {"shim"}


def _imported_at_once(name: str) -> set[str]:
    """What a module imports when it is imported itself."""
    found = set()
    for node in ast.parse(_MODULES[name].read_text()).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def _loaded_by(*roots: str) -> set[str]:
    """All modules, of this package and of others, that importing these loads."""
    seen: set[str] = set()
    left = set(roots)
    while left:
        name = left.pop()
        seen.add(name)
        if name in _MODULES:
            left |= _imported_at_once(name) - seen
    return seen


@pytest.mark.parametrize("name", sorted(_MODULES.keys() - {"shim"}))
def test_imports_point_one_way(name: str) -> None:
    allowed = _LAYERS[: _LAYERS.index(_layer(name)) + 1]
    assert not {module for module in _imports(name) if _layer(module) not in allowed}


@pytest.mark.parametrize("name", sorted(module for module in _MODULES if module.startswith("shim.wire.")))
def test_the_wire_format_imports_no_configuration_and_does_no_io(name: str) -> None:
    assert {_layer(module) for module in _imports(name)} <= {"errors", "query", "wire"}
    assert not _imported_at_once(name) & {"os", "socket", "time", "pathlib", "structlog"}


@pytest.mark.parametrize("name", sorted(module for module in _MODULES if module.startswith("shim.contracts.")))
def test_contracts_do_not_know_the_upstream(name: str) -> None:
    assert not {module for module in _imports(name) if _layer(module) == "upstream"}


def test_serving_does_not_load_what_only_commands_and_the_ledger_writer_need() -> None:
    loaded = _loaded_by("shim.cli", "shim.cli.serve", "shim.web.server")
    assert "shim.ledger.journal" in loaded
    assert not {module.partition(".")[0] for module in loaded} & {"sqlalchemy", "alembic"}


_CALL: Final = (
    "shim.pipeline",
    "shim.access.callers",
    "shim.access.concurrency",
    "shim.contracts.adopt",
    "shim.retirement.policy",
    "shim.upstream.client",
    "shim.upstream.scores",
)
_SERVER_LIBRARIES: Final = ("gevent", "gunicorn", "fcntl", "resource", "termios")


def test_a_call_needs_no_server_library() -> None:
    """A command can run a call in process, on Windows too."""
    assert not {module.partition(".")[0] for module in _loaded_by(*_CALL)} & {*_SERVER_LIBRARIES}
    blocked = f"import sys; sys.modules.update(dict.fromkeys({_SERVER_LIBRARIES!r}))"
    program = "; ".join([blocked, *(f"import {module}" for module in _CALL)])
    subprocess.run([sys.executable, "-c", program], check=True)


# Which files use parts of a library that the library does not promise; ARCHITECTURE.md says what would break.
_INTERNALS: Final = {
    "_ParserDictionaryContext": {"wire/parser.py"},
    "gunicorn.workers": {"web/worker.py"},
    "gunicorn.http.message": {"web/lenient_request.py"},
    "gunicorn.http.parser": {"web/worker.py"},
    "gunicorn.arbiter": {"web/server.py"},
    "MethodContext": {"contracts/service.py"},
    "urllib3.connection": {"upstream/client.py"},
    "MultiProcessValue": {"web/metrics.py"},
    "notify_and_call_entry_points": {"__main__.py"},
}


@pytest.mark.parametrize("part", _INTERNALS)
def test_the_inside_of_a_library_is_used_in_one_file(part: str) -> None:
    used = {str(path.relative_to(_ROOT)) for path in _MODULES.values() if part in path.read_text()}
    assert used == _INTERNALS[part]


def test_no_import_goes_in_a_circle() -> None:
    left = {name: _imports(name) - {name} for name in _MODULES}
    while free := {name for name, imports in left.items() if not imports & left.keys()}:
        for name in free:
            del left[name]
    assert not left


def test_no_two_packages_have_a_public_class_of_one_name() -> None:
    found: dict[str, set[str]] = {}
    for name, path in _MODULES.items():
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, set()).add(name)
    assert not {name: modules for name, modules in found.items() if len(modules) > 1}


def test_each_package_lists_its_public_names() -> None:
    packages = [path for path in _MODULES.values() if path.name == "__init__.py" and path.parent != _ROOT]
    listed = [path for path in packages if "migrations" not in path.parts]
    assert not [path.parent.name for path in listed if "__all__" not in path.read_text()]


def test_the_documented_way_of_a_call_exists_and_is_short() -> None:
    text = (_ROOT.parent / "ARCHITECTURE.md").read_text(encoding="utf-8")
    way = re.findall(r"^ ?\d+\. `([\w/]+\.py):([\w.]+)`", text, re.MULTILINE)
    assert 0 < len(way) <= 20
    assert len(set(way)) == len(way)
    for file, function in way:
        nodes: list[ast.stmt] = ast.parse((_ROOT / file).read_text()).body
        for name in function.split("."):
            (found,) = [one for one in nodes if isinstance(one, ast.ClassDef | ast.FunctionDef) and one.name == name]
            nodes = found.body


def test_every_module_is_on_the_map() -> None:
    text = (_ROOT.parent / "ARCHITECTURE.md").read_text(encoding="utf-8")
    files = {path.name for path in _MODULES.values() if "migrations" not in path.parts} - {"__init__.py"}
    assert not [name for name in files if not re.search(rf"^ +{re.escape(name)} ", text, re.MULTILINE)]
