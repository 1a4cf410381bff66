"""The option that names the configuration file."""

from pathlib import Path
from typing import Annotated

import typer

from shim import config
from shim.cli import console
from shim.config import Config, ConfigError

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        envvar=config.FILE_VARIABLE,
        help="The TOML file. Every key can also be set as TOEFL_SHIM_SECTION__KEY.",
    ),
]


def load(config_file: Path | None) -> Config:
    """Read the configuration, or end the command with what is wrong."""
    try:
        return config.load(config_file)
    except ConfigError as error:
        console.refuse(error)
