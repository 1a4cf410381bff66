"""The files that a person meets first: workflows, issue forms, documents, and the version that they name."""

import re
import unicodedata
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from pydantic import BaseModel

from shim import __version__
from shim.config import Config

_ROOT: Final = Path(__file__).parent.parent
_WORKFLOWS: Final = sorted((_ROOT / ".github" / "workflows").glob("*.yml"))
_FORMS: Final = sorted(path for path in (_ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config")
_DOCUMENTS: Final = sorted(
    path for folder in (".", ".github", "bench", "deploy", "docs") for path in (_ROOT / folder).glob("*.md")
)


def _yaml(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def _text(name: str) -> str:
    return (_ROOT / name).read_text(encoding="utf-8")


def _commands(path: Path) -> list[str]:
    """What the steps of a workflow run."""
    jobs = _yaml(path)["jobs"].values()
    return [step["run"] for job in jobs for step in job["steps"] if "run" in step]


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", _text("Makefile"), re.MULTILINE))


@pytest.mark.parametrize("path", _WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_is_bounded_and_calls_what_exists(path: Path) -> None:
    workflow = _yaml(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert all(job["timeout-minutes"] for job in workflow["jobs"].values())
    called = {name for command in _commands(path) for name in re.findall(r"\bmake ([a-z][a-z -]*)", command)}
    assert {target for names in called for target in names.split()} <= _targets()


def test_the_workflows_run_every_script_of_ci() -> None:
    run = {command for path in _WORKFLOWS for command in _commands(path)}
    scripts = [path for path in (_ROOT / ".ci").iterdir() if path.stat().st_mode & 0o100]
    assert {f".ci/{path.name}" for path in scripts} == {command for command in run if command.startswith(".ci/")}


def test_the_hooks_are_the_tools_of_make_lint() -> None:
    (repository,) = _yaml(_ROOT / ".pre-commit-config.yaml")["repos"]
    tools = {hook["entry"].removeprefix(".venv/bin/").partition(" --")[0] for hook in repository["hooks"]}
    lint = re.search(r"^lint:.*\n((?:\t.+\n)+)", _text("Makefile"), re.MULTILINE)
    assert lint
    assert tools == {"ruff format", "ruff check", "mypy"}
    assert all(f"$(BIN)/{tool}" in lint[1] for tool in tools)


@pytest.mark.parametrize("path", _FORMS, ids=lambda path: path.name)
def test_an_issue_form_is_one_and_warns_of_secrets(path: Path) -> None:
    form = _yaml(path)
    assert {"name", "description", "body"} <= form.keys()
    identifiers = [field["id"] for field in form["body"] if field["type"] != "markdown"]
    assert len(set(identifiers)) == len(identifiers)
    assert all(field["attributes"]["label"] for field in form["body"] if field["type"] != "markdown")
    assert "Never paste score data, credentials or an authcode" in form["body"][0]["attributes"]["value"]


def test_a_bug_report_has_what_finds_the_call() -> None:
    required = {
        field["id"]
        for field in _yaml(_ROOT / ".github" / "ISSUE_TEMPLATE" / "bug.yml")["body"]
        if field.get("validations", {}).get("required")
    }
    assert {"version", "request", "client"} <= required


def _anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to the headings of a document."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {
        "".join(sign for sign in heading.lower() if sign in "-_ " or unicodedata.category(sign)[0] in "LN").replace(
            " ", "-"
        )
        for heading in headings
    }


@pytest.mark.parametrize("path", _DOCUMENTS, ids=lambda path: str(path.relative_to(_ROOT)))
def test_links_of_a_document_lead_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        if not target.exists() or (anchor and anchor not in _anchors(target.read_text(encoding="utf-8"))):
            broken.append(link)
    assert not broken


def test_the_changelog_starts_with_what_is_unreleased_and_then_this_version() -> None:
    headings = re.findall(r"^## (.+)$", _text("CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert re.fullmatch(rf"\[{re.escape(__version__)}\] - \d{{4}}-\d\d-\d\d", headings[1])


def test_every_image_of_the_deployment_is_of_this_version() -> None:
    skipped = {"transcripts", "__pycache__"}
    files = [path for path in (_ROOT / "deploy").rglob("*") if path.is_file() and not skipped & {*path.parts}]
    named = {
        (str(path.relative_to(_ROOT)), version)
        for path in files
        for version in re.findall(r"(?:toefl-shim:|newTag: )(\d[\w.]*\d)", path.read_text(encoding="utf-8"))
    }
    assert len(named) > 4
    assert not [where for where, version in named if version != __version__]


def _sections() -> dict[str, type[BaseModel]]:
    """The class of each section of the configuration, by its name."""
    found = {}
    for name, field in Config.model_fields.items():
        kinds = [kind for kind in (field.annotation, *getattr(field.annotation, "__args__", ())) if kind is not None]
        (found[name],) = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return found


@pytest.mark.parametrize(("name", "section"), list(_sections().items()), ids=list(_sections()))
def test_every_setting_is_documented(name: str, section: type[BaseModel]) -> None:
    parts = re.split(r"^## ", _text("docs/SETTINGS.md"), flags=re.MULTILINE)
    (part,) = [part for part in parts if f"[{name}]" in part.partition("\n")[0]]
    keys = set(re.findall(rf"`(?:{name}\.)?(\w+)`", part))
    assert not section.model_fields.keys() - keys


def test_the_map_names_every_package() -> None:
    names = [
        f"{path.name}/" if path.is_dir() else path.name
        for path in (_ROOT / "shim").iterdir()
        if (path / "__init__.py").exists() or (path.suffix == ".py" and not path.stem.startswith("__"))
    ]
    rows = _text("CONTRIBUTING.md").partition("## Map")[2].partition("\n## ")[0]
    missing = [name for name in names if f"`{name}`" not in rows]
    assert not missing, f"the map in CONTRIBUTING.md lacks {', '.join(missing)}"
