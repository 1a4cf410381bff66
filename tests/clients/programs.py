"""Generate, build and start clients in other languages."""

import subprocess
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Final

from tests.clients.calls import Starter, program
from tests.tools import require

CSHARP: Final = Path(__file__).parent / "csharp"
_PHP_SCRIPTS: Final = Path(__file__).parent / "php"
_MONO: Final = "apt-get install -y --no-install-recommends mono-mcs mono-devel"
_PHP: Final = "apt-get install -y --no-install-recommends php-cli php-soap"
_LIBRARIES: Final = ("System.ServiceModel", "System.Runtime.Serialization", "System.Web.Services")


def svcutil(wsdl: str, directory: Path, name: str = "Client.cs") -> Path:
    """Run svcutil with the WSDL at a URL, and return the path of its output, which may not compile."""
    subprocess.run([require("svcutil", install=_MONO), f"-out:{name}", wsdl], cwd=directory, check=True)
    return directory / name


def wsdl_exe(directory: Path, *wsdls: str) -> Path:
    """Run wsdl.exe with WSDLs, and return the path of its output, in the namespace ``Legacy``."""
    generator = require("wsdl", install=_MONO)
    subprocess.run([generator, "-out:Proxy.cs", "-namespace:Legacy", *wsdls], cwd=directory, check=True)
    return directory / "Proxy.cs"


def mono(directory: Path, generated: Iterable[Path], *names: str, **environment: str) -> Starter:
    """Compile a C# program from generated files and from sources in ``csharp``, and return its starter."""
    sources = [*map(str, generated), *(str(CSHARP / f"{name}.cs") for name in ("Outcome", *names))]
    references = [f"-r:{library}" for library in _LIBRARIES]
    compiler = [require("mcs", install=_MONO), "-warnaserror", "-out:program.exe"]
    subprocess.run([*compiler, *references, *sources], cwd=directory, check=True)
    return partial(program, require("mono", install=_MONO), str(directory / "program.exe"), **environment)


def php(script: str, **environment: str) -> Starter:
    """Return the starter of a PHP program, with all errors reported."""
    interpreter = require("php", install=_PHP)
    modules = subprocess.run([interpreter, "-m"], capture_output=True, text=True, check=True).stdout.split()
    if "soap" not in modules:
        require("php with ext-soap", install=_PHP)
    return partial(program, interpreter, "-d", "error_reporting=-1", str(_PHP_SCRIPTS / script), **environment)
