"""Requirements: what the code imports is declared, what is declared is used, and the lock fits."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import Any, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_ROOT: Final = Path(__file__).parent.parent
_PROJECT: Final[dict[str, Any]] = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
_OURS: Final = frozenset({"shim", "tests", "bench", "deploy"})
# typeshed's module exists for type checkers alone.
_NOT_INSTALLED: Final = frozenset({*sys.stdlib_module_names, "_typeshed"})
_NOT_IMPORTED: Final = {
    "packaging": "gunicorn's gevent worker imports it without declaring it",
    "psycopg": "SQLAlchemy imports it by the name in ledger.url",
}
_INSTALLED: Final = metadata.packages_distributions()
# The libraries whose internals tests/test_library_internals.py names.
_BOUNDED: Final = ("gevent", "gunicorn", "lxml", "prometheus-client", "requests", "spyne", "urllib3", "zeep")


def _named(requirements: list[str]) -> dict[str, Requirement]:
    return {canonicalize_name(one.name): one for one in map(Requirement, requirements)}


_RUN: Final = _named(_PROJECT["project"]["dependencies"])
_EXTRAS: Final = _named(list(chain.from_iterable(_PROJECT["project"]["optional-dependencies"].values())))
_GROUPS: Final = {name: _named(group) for name, group in _PROJECT["dependency-groups"].items()}
_DECLARED: Final = {
    "shim": _RUN | _EXTRAS,
    "tests": _RUN | _EXTRAS | _GROUPS["dev"] | _GROUPS["fuzz"],
    "bench": _RUN | _EXTRAS | _GROUPS["dev"] | _GROUPS["bench"],
}


def _imports(source: str) -> set[str]:
    """The modules that a file imports, without those of Python and of this project."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return {name for name in found if name.partition(".")[0] not in _OURS | _NOT_INSTALLED}


def _imported(folder: str) -> set[str]:
    return set(chain.from_iterable(_imports(path.read_text("utf-8")) for path in (_ROOT / folder).rglob("*.py")))


@cache
def _distribution(module: str) -> str:
    """The distribution that a module is installed by; the name of its top package if it is not installed."""
    top = module.partition(".")[0]
    found = sorted(set(_INSTALLED.get(top, [top])))
    if len(found) > 1:  # several distributions share a namespace package
        stem = module.replace(".", "/")
        found = [name for name in found if {f"{stem}.py", f"{stem}/__init__.py"} & set(map(str, _files(name)))]
    return canonicalize_name(found[0])


def _files(distribution: str) -> list[metadata.PackagePath]:
    return metadata.files(distribution) or []


@pytest.mark.parametrize("folder", sorted(_DECLARED))
def test_what_is_imported_is_declared(folder: str) -> None:
    missing = {
        f"{module} of {_distribution(module)}"
        for module in _imported(folder)
        if _distribution(module) not in _DECLARED[folder]
    }
    assert not missing, f"{folder}/ imports what pyproject.toml does not declare: {', '.join(sorted(missing))}"


def test_an_undeclared_import_is_noticed() -> None:
    assert _imports("import os, yaml.nodes\nfrom shim import app\nfrom urllib3.util import Retry") == {
        "yaml.nodes",
        "urllib3.util",
    }
    assert _distribution("yaml") == "pyyaml"
    assert _distribution("opentelemetry.trace.propagation.tracecontext") == "opentelemetry-api"
    assert _distribution("opentelemetry.sdk.trace") == "opentelemetry-sdk"


def test_what_is_declared_is_imported() -> None:
    imported = {_distribution(module) for module in _imported("shim")}
    assert (_RUN | _EXTRAS).keys() - imported == _NOT_IMPORTED.keys()


@pytest.mark.parametrize("name", _BOUNDED)
def test_a_library_whose_internals_are_used_has_an_upper_bound(name: str) -> None:
    assert {part.operator for part in _RUN[name].specifier} & {"<", "=="}


@pytest.mark.parametrize(
    ("file", "required"),
    [
        ("run.txt", _RUN),
        ("postgresql.txt", _RUN | {"psycopg": _EXTRAS["psycopg"]}),
        ("dev.txt", _RUN | _EXTRAS | _GROUPS["dev"]),
    ],
)
def test_the_lock_fits_what_is_declared(file: str, required: dict[str, Requirement]) -> None:
    text = (_ROOT / "requirements" / file).read_text(encoding="utf-8")
    pinned = re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE)
    locked: dict[str, str] = {canonicalize_name(name): version for name, version in pinned}
    wrong = [
        str(one)
        for name, one in required.items()
        if name not in locked or not one.specifier.contains(locked[name], prereleases=True)
    ]
    assert not wrong, f"requirements/{file} does not fit {', '.join(wrong)}: run make lock"
