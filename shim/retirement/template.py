"""The rendering of templates: the programs of this package, and the pages of ``shim.web``."""

import json
import shlex
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def render(package: str, name: str, **values: object) -> str:
    """Return a template, filled in.

    Args:
        package: The package with the folder ``templates``.
        name: The file in that folder.
        values: The variables of the template; it raises if it uses one that is missing.
    """
    return _environment(package).get_template(name).render(values)


@cache
def _environment(package: str) -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape  # noqa: PLC0415 - loaded at the first page, not at the start of each worker

    environment = Environment(
        loader=PackageLoader(package),
        # Programs are not HTML: a filter writes each value as a literal of the program's language.
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # An ASCII string literal of JSON is also one of C#, Java and Python.
    environment.filters.update(literal=json.dumps, word=shlex.quote, day=day_of, ago=_ago)
    return environment


def day_of(moment: date) -> str:
    """Return a day in words, such as ``24 November 2026``."""
    return f"{moment.day} {moment:%B %Y}"


def _ago(moment: datetime, now: datetime) -> str:
    days = (now.date() - moment.date()).days
    return "today" if days <= 0 else "yesterday" if days == 1 else f"{days} days ago"
