"""The command line ``toefl-shim``: one module for each command, or for each group of commands.

It reads the configuration, calls the other packages and prints what they return; it holds no logic of the gateway.
"""

from shim.cli.root import cli, main

__all__ = ["cli", "main"]
