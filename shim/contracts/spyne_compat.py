"""Lets Spyne 2.14.0 be imported on Python 3.12 and later.

Its vendored copy of ``six`` offers ``six.moves`` through ``find_module``, an import
hook that Python 3.12 removed (and of which 3.11 warns). The copy is loaded here
with the hook's successor added, as ``six`` itself did in 1.16. Import this module
before Spyne. It goes when Spyne makes a release with a newer copy.

The other obstacle, ``cgi``, gone from Python 3.13, is met by importing neither
``spyne.server.wsgi`` nor ``spyne.protocol.soap``.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_loader
from types import ModuleType
from typing import Any, Final

_SIX: Final = "spyne.util.six"


class _SixLoader(SourceFileLoader):
    """Loads the vendored six and mends its importer."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, then give its importer the hooks of today."""
        super().exec_module(module)
        importer = module._SixMetaPathImporter  # noqa: SLF001 - it has no public name
        importer.find_spec = _find_spec
        importer.create_module = _create_module
        importer.exec_module = _exec_module


def _find_spec(importer: Any, fullname: str, _path: object, _target: object = None) -> ModuleSpec | None:  # noqa: ANN401 - a class of the vendored six
    return spec_from_loader(fullname, importer) if fullname in importer.known_modules else None


def _create_module(importer: Any, spec: ModuleSpec) -> ModuleType:  # noqa: ANN401 - same
    module: ModuleType = importer.load_module(spec.name)
    return module


def _exec_module(_importer: object, _module: ModuleType) -> None:
    pass  # it was whole when it was made


class _SixFinder(MetaPathFinder):
    """Finds the vendored six where it is, with the loader that mends it."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Find that one module."""
        spec = PathFinder.find_spec(fullname, path, target) if fullname == _SIX else None
        if spec is not None and spec.origin is not None:
            spec.loader = _SixLoader(fullname, spec.origin)
        return spec


sys.meta_path.insert(0, _SixFinder())
