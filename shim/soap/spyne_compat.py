"""Lets Spyne 2.14.0 be imported on Python 3.12 and later.

Its vendored copy of ``six`` offers ``six.moves`` through ``find_module``, a hook
that Python 3.12 removed; the finder below offers the same modules through
``find_spec``. Import this module before Spyne. It goes when Spyne makes a release
without that copy.

The other obstacle, ``cgi``, gone from Python 3.13, is met by importing neither
``spyne.server.wsgi`` nor ``spyne.protocol.soap``.
"""

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import ModuleType
from typing import Any, Final

_SIX: Final = "spyne.util.six"


class _VendoredMoves(MetaPathFinder, Loader):
    """Finds ``spyne.util.six.moves`` and what is below it."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - the protocol's
        target: ModuleType | None = None,  # noqa: ARG002 - the protocol's
    ) -> ModuleSpec | None:
        """Tell whether the vendored six offers a module of this name."""
        known = fullname.startswith(f"{_SIX}.moves") and fullname in self._importer.known_modules
        return spec_from_loader(fullname, self) if known else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Let the vendored six make the module."""
        module: ModuleType = self._importer.load_module(spec.name)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: the module was whole when it was made."""

    @property
    def _importer(self) -> Any:  # noqa: ANN401 - a class of the vendored six
        return sys.modules[_SIX]._importer  # noqa: SLF001 - its hook has no public name


sys.meta_path.append(_VendoredMoves())
