"""The wheel and the sdist: they hold everything that the gateway needs, and the installed wheel works."""

import json
import re
import subprocess
import sys
import sysconfig
import tarfile
from email import message_from_bytes
from importlib import metadata
from pathlib import Path
from zipfile import ZipFile

import pytest

from deploy import audit
from shim import __version__
from tests.deploy.tools import ROOT, said

_NAME = f"toefl_soap_shim-{__version__}"
_PIP = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder], cwd=ROOT, check=True)
    subprocess.run(
        [*_PIP, "wheel", "--no-build-isolation", "--no-deps", "--no-index", "-w", folder, f"{_NAME}.tar.gz"],
        cwd=folder,
        check=True,
    )
    return folder


def test_the_wheel_holds_all_of_the_package_and_its_contracts(dist: Path) -> None:
    held = set(ZipFile(dist / f"{_NAME}-py3-none-any.whl").namelist())
    ours = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "shim").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    contracts = {f"shim/wsdl/{path.name}" for path in (ROOT / "wsdl").iterdir()}
    assert {"shim/wsdl/TOEFLEdm.wsdl", "shim/wsdl/TOEFLEdm.toml"} <= contracts
    assert ours | contracts == {name for name in held if name.startswith("shim/")}


def test_the_sdist_holds_what_builds_and_tests_it(dist: Path) -> None:
    with tarfile.open(dist / f"{_NAME}.tar.gz") as archive:
        held = {name.removeprefix(f"{_NAME}/") for name in archive.getnames()}
    wanted = (
        "pyproject.toml",
        "Makefile",
        "requirements/run.txt",
        "tests/tools.py",
        ".github/workflows/ci.yml",
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CHANGELOG.md",
        "LICENSE",
        "docs/SETTINGS.md",
        "docs/FAULTS.md",
        "docs/status-3.png",
        "deploy/README.md",
        "deploy/gateway.toml",
        "deploy/systemd/toefl-shim@.service",
        "wsdl/TOEFLEdm.toml",
    )
    assert not [name for name in wanted if name not in held]
    assert not [name for name in held if "__pycache__" in name or ".venv" in name or "node_modules" in name]


def test_the_wheel_says_what_it_is(dist: Path) -> None:
    wheel = ZipFile(dist / f"{_NAME}-py3-none-any.whl")
    about = message_from_bytes(wheel.read(f"{_NAME}.dist-info/METADATA"))
    assert about["Version"] == __version__
    assert about["License-Expression"] == "Apache-2.0"
    assert {"Typing :: Typed", "Operating System :: POSIX :: Linux"} <= set(about.get_all("Classifier", []))
    assert "soap" in about["Keywords"].split(",")
    urls = {url.partition(",")[0] for url in about.get_all("Project-URL", [])}
    assert urls == {"Documentation", "Repository", "Issues", "Changelog"}
    assert {"otel", "postgresql"} == set(about.get_all("Provides-Extra", []))
    assert "shim/py.typed" in wheel.namelist()


def test_the_installed_wheel_works(dist: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path], check=True)
    python = tmp_path / "bin" / "python"
    wheel = dist / f"{_NAME}-py3-none-any.whl"
    subprocess.run([*_PIP, "--python", python, "install", "--no-index", "--no-deps", wheel], check=True)
    (site,) = tmp_path.glob("lib/python*/site-packages")
    _link_requirements(site)

    def shim(*arguments: str) -> str:
        return said(tmp_path / "bin" / "toefl-shim", *arguments, cwd=tmp_path, environment={"COLUMNS": "200"})

    where = said(python, "-Ic", "import shim; print(shim.__file__)")
    assert Path(where).is_relative_to(tmp_path)
    assert shim("--version").splitlines()[0] == f"toefl-shim {__version__}"
    assert "StartDate → startdate" in shim("contract")
    assert "the same" in shim("demo")


def _link_requirements(site: Path) -> None:
    """Link the packages that requirements/run.txt locks, and no others: nothing comes from the network."""
    locked = re.findall(r"^([\w.-]+)==", (ROOT / "requirements" / "run.txt").read_text(), re.MULTILINE)
    installed = {name for name in locked if any(metadata.distributions(name=name))}
    assert len(installed) > 20
    for name in installed:
        files = metadata.files(name) or []
        for top in {file.parts[0] for file in files} - {"..", "__pycache__"}:
            link = site / top
            if not link.exists():
                link.symlink_to(Path(sysconfig.get_path("purelib")) / top)


_CLEAN = {"name": "a", "version": "1", "vulns": []}
_HOLE = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1"}]}
_UNKNOWN = {"name": "c", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("answer", "sentence", "status"),
    [
        ({"dependencies": [_CLEAN]}, "checked, no known hole", 0),
        ({"dependencies": [_CLEAN, _HOLE]}, "b 2: PYSEC-1", 1),
        ({"dependencies": [_CLEAN, _UNKNOWN]}, "NOT CHECKED: no advisories for 1 of 2 packages", 0),
        ({"dependencies": [_HOLE, _UNKNOWN]}, "b 2: PYSEC-1\nrun.txt: NOT CHECKED", 1),
        (None, "NOT CHECKED: the advisories could not be had", 0),
    ],
)
def test_an_audit_never_passes_in_silence(  # noqa: PLR0913, PLR0917 - the scripted answer, and what is expected
    answer: object,
    sentence: str,
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    scripted = tmp_path / "pip-audit"
    scripted.write_text(f"#!/bin/sh\necho '{json.dumps(answer) if answer else 'no connection'}'\n")
    scripted.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(sys, "argv", ["audit.py", "run.txt"])
    assert audit.main() == status
    assert f"run.txt: {sentence}" in capsys.readouterr().out
