"""Makes Spyne 2.14.0 importable on Python 3.12 and later. Import this module before Spyne.

Spyne's vendored copy of ``six`` offers ``six.moves`` through ``find_module``, an import hook that Python 3.12 removed
and that Python 3.11 warns of. This module loads the copy with today's hooks added, as ``six`` 1.16 has them. It uses
``_SixMetaPathImporter``, a private class of ``six``: if a release of Spyne has no such class, importing Spyne raises
AttributeError, and this module can probably go, as such a release has a newer copy.

The other obstacle is ``cgi``, which Python 3.13 removed: the package imports neither ``spyne.server.wsgi`` nor
``spyne.protocol.soap``, which need it.
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
    """Loads the vendored six, and adds today's hooks to its importer."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, then add the hooks."""
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
    pass  # the module was executed when it was created


class _SixFinder(MetaPathFinder):
    """Finds the vendored six in its place, and loads it with ``_SixLoader``."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Find the vendored six, and no other module."""
        spec = PathFinder.find_spec(fullname, path, target) if fullname == _SIX else None
        if spec is not None and spec.origin is not None:
            spec.loader = _SixLoader(fullname, spec.origin)
        return spec


sys.meta_path.insert(0, _SixFinder())
