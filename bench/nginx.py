"""nginx, as an upstream of files and as a plain proxy."""

import grp
import os
import pwd
from pathlib import Path
from typing import Final

_CONFIG: Final = """\
daemon off;
user {user} {group};
pid {folder}/nginx.pid;
error_log stderr warn;
worker_processes 1;
worker_rlimit_nofile 16384;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  default_type text/plain;
  sendfile on;
  tcp_nopush on;
  keepalive_timeout 75;
  keepalive_requests 1000000000;
  open_file_cache max=16;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  upstream next {{ server 127.0.0.1:{next_port}; keepalive 1024; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    {locations}
  }}
}}
"""
_FILES: Final = """\
location = /scores {{
      root {files};
      error_page 418 = @delayed;
      if ($arg_type ~ ^delay-) {{ return 418; }}
      try_files /$arg_type =404;
    }}
    location @delayed {{ proxy_pass http://next; }}"""
_PROXY: Final = "location / { proxy_pass http://next; }"


def files(folder: Path, port: int, content: Path, next_port: int) -> list[str]:
    """The command for one that answers files by the type in the query, and has the late ones from the next port."""
    return _command(folder, port, next_port, _FILES.format(files=content))


def proxy(folder: Path, port: int, next_port: int) -> list[str]:
    """The command for one that passes everything on."""
    return _command(folder, port, next_port, _PROXY)


def _command(folder: Path, port: int, next_port: int, locations: str) -> list[str]:
    folder.mkdir()
    config = folder / "nginx.conf"
    config.write_text(
        _CONFIG.format(
            user=pwd.getpwuid(os.getuid()).pw_name,
            group=grp.getgrgid(os.getgid()).gr_name,
            folder=folder,
            port=port,
            next_port=next_port,
            locations=locations,
        ),
        encoding="utf-8",
    )
    return ["nginx", "-e", "stderr", "-c", str(config)]
