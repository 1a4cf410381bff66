"""The command line run in this process, and configuration files for it."""

from collections.abc import Mapping
from pathlib import Path

from typer.testing import CliRunner, Result

from shim.cli import cli


def invoke(arguments: list[str], env: Mapping[str, str] | None = None) -> Result:
    return CliRunner().invoke(cli, arguments, env=env)


def config_file(folder: Path, text: str) -> str:
    path = folder / "gateway.toml"
    path.write_text(text)
    return str(path)


def good_config(folder: Path, url: str = "http://127.0.0.1:9/scores") -> str:
    """One that reads the authcode from a file beside it."""
    return config_file(folder, f'[upstream]\nurl = "{url}"\n[[authcodes]]\nname = "main"\nfile = "authcode"\n')


def said(output: str) -> str:
    """What was printed, on one line."""
    return " ".join(output.split())
