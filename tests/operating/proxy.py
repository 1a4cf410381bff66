"""nginx before several gateways, configured as an operator would configure it."""

import grp
import os
import pwd
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from shim.sandbox.process import wait_for
from tests.processes import stop

_MAIN: Final = """\
daemon off;
user {user} {group};
pid {folder}/pid;
error_log stderr error;
worker_processes 1;
events {{ worker_connections 1024; }}
http {{
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  include {site};
}}
"""
_SITE: Final = """\
access_log off;
upstream gateways {{ {servers} keepalive 16; }}
server {{
  listen 127.0.0.1:{port};
  location / {{
    proxy_pass http://gateways;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_next_upstream error timeout non_idempotent;
  }}
}}
"""


def configured(folder: Path, site: Path) -> Path:
    """Write the configuration that nginx is started with, and return its path.

    Args:
        folder: The folder for nginx's own files.
        site: The file, or the pattern of files, with the servers.
    """
    config = folder / "nginx.conf"
    user, group = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
    config.write_text(_MAIN.format(folder=folder, site=site, user=user, group=group))
    return config


@contextmanager
def proxied(nginx: str, folder: Path, port: int, gateways: Sequence[int]) -> Iterator[None]:
    """Run nginx on a port, before gateways on other ports, until the end of the block."""
    folder.mkdir()
    site = folder / "site"
    # nginx asks a gateway that failed again after one second; by default it waits for ten.
    servers = " ".join(f"server 127.0.0.1:{gateway} fail_timeout=1s;" for gateway in gateways)
    site.write_text(_SITE.format(port=port, servers=servers))
    config = configured(folder, site)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([nginx, "-e", "stderr", "-c", str(config)], stdout=log, stderr=log)
    try:
        wait_for(process, f"127.0.0.1:{port}")
        yield
    finally:
        stop(process)
