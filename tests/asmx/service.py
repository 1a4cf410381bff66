"""A real ASMX service: Mono's System.Web.Services behind nginx, with the names of the shipped contract."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from shim.sandbox.process import free_port, wait_for
from tests.asmx.wire import exchange
from tests.operating.proxy import configured
from tests.processes import stop
from tests.tools import require

FILES: Final = Path(__file__).parent / "service"
INSTALL: Final = "apt-get install -y --no-install-recommends mono-fastcgi-server4 nginx-light mono-devel"

_PATIENCE: Final = 60.0
_SITE: Final = """\
access_log off;
server {{
  listen 127.0.0.1:{port};
  location / {{
    include /etc/nginx/fastcgi_params;
    fastcgi_param SCRIPT_FILENAME {folder}$fastcgi_script_name;
    fastcgi_param PATH_INFO "";
    fastcgi_pass 127.0.0.1:{mono};
  }}
}}
"""


@contextmanager
def running_service(folder: Path) -> Iterator[int]:
    """Run the service until the end of the block.

    Args:
        folder: For all its files; it is made.

    Yields:
        The port at which nginx hands requests to it.
    """
    server, nginx = (require(name, install=INSTALL) for name in ("fastcgi-mono-server4", "nginx"))
    shutil.copytree(FILES, folder)
    (folder / "temporary").mkdir()
    port, mono = free_port(), free_port()
    site = folder / "site"
    site.write_text(_SITE.format(folder=folder, port=port, mono=mono))
    # The time zone decides what .NET makes of an offset. Mono compiles the service into the temporary folder.
    environment = os.environ | {"TZ": "UTC", "TMPDIR": str(folder / "temporary")}
    commands = {
        mono: [server, f"/applications=/:{folder}", f"/socket=tcp:127.0.0.1:{mono}"],
        port: [nginx, "-e", "stderr", "-c", str(configured(folder, site))],
    }
    with (folder / "log").open("wb") as log, ExitStack() as started:
        for listens, command in commands.items():
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
            started.callback(stop, process)
            wait_for(process, f"127.0.0.1:{listens}")
        _compile(port)
        yield port


def _compile(port: int) -> None:
    """Let Mono compile each file of the service, so that no test waits for that."""
    for path in ("/TOEFLWebService/TOEFLEdm.asmx", "/DateScores.asmx"):
        head = f"GET {path}?wsdl HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        (response,) = exchange(port, head.encode(), patience=_PATIENCE)
        assert response.status == 200, f"the ASMX service cannot serve {path}"
