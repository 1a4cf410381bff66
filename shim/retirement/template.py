"""The templates of the status page and of the programs, filled in."""

import json
import shlex
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def render(name: str, **values: object) -> str:
    """Fill in a template of the folder ``templates``.

    Args:
        name: Its file.
        values: What it names.
    """
    return _environment().get_template(name).render(values)


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined, select_autoescape  # noqa: PLC0415 - the first who looks waits for it

    environment = Environment(
        loader=PrefixLoader({name: PackageLoader(f"shim.{name}") for name in ("retirement", "web")}),
        # Programs are no HTML: each value stands in a literal of its language, which the filters write.
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # A string of JSON in ASCII is one of C#, Java and Python as well.
    environment.filters.update(literal=json.dumps, word=shlex.quote, day=day_of, ago=_ago)
    return environment


def day_of(moment: date) -> str:
    """A day in words."""
    return f"{moment.day} {moment:%B %Y}"


def _ago(moment: datetime, now: datetime) -> str:
    days = (now.date() - moment.date()).days
    return "today" if days <= 0 else "yesterday" if days == 1 else f"{days} days ago"
