"""Settings from environment variables."""

import json
from collections.abc import Collection, Mapping
from typing import Any, Final

PREFIX: Final = "TOEFL_SHIM_"
FILE_VARIABLE: Final = "TOEFL_SHIM_CONFIG"


def read(environ: Mapping[str, str], sections: Collection[str]) -> tuple[dict[str, Any], list[str]]:
    """Read the settings in environment variables.

    ``TOEFL_SHIM_SECTION__KEY`` holds one setting as text, or as JSON if it is a list or a
    table. ``TOEFL_SHIM_SECTION`` holds a whole section as JSON; variables for its keys win
    over it. Names are read in any case of letters. An empty variable counts as unset.

    Args:
        environ: The environment.
        sections: Names of the sections.

    Returns:
        The settings by section, and a line for each variable that cannot be used.
    """
    values: dict[str, Any] = {}
    mistakes = []
    for name, text in _ours(environ):
        section, _, key = name[len(PREFIX) :].lower().partition("__")
        if section not in sections:
            mistakes.append(f"{name}: no such setting")
        elif text and key:
            whole = values.get(section)
            values[section] = (whole if isinstance(whole, dict) else {}) | {key: _setting(text)}
        elif text:
            try:
                values[section] = json.loads(text)
            except (ValueError, RecursionError):
                mistakes.append(f"{name}: is not JSON")
    return values, mistakes


def _ours(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the variables of this program, a whole section before its keys."""
    named = [(name.upper(), name) for name in environ]
    ours = sorted(pair for pair in named if pair[0].startswith(PREFIX) and pair[0] != FILE_VARIABLE)
    return [(name, environ[name]) for _, name in ours]


def _setting(text: str) -> Any:  # noqa: ANN401 - pydantic validates it later
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    # A number or a word is left as text, so that 08 or true can be a name or a path.
    return value if isinstance(value, list | dict) else text
