"""``python -m shim`` is ``toefl-shim``."""

from shim.cli import main

main()
