"""What is asked: one nginx whose URLs redirect one to three times, and lists of such URLs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.process import Launch
from bench.programs import program, write

LONGEST = 3  # redirects before an answer

CONF = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  absolute_redirect off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=1024;
    location / {{ return 404; }}
    location /0/ {{ return 200 "here\\n"; }}
    location ~ ^/1/(.*)$ {{ return 307 /0/$1; }}
    location ~ ^/2/(.*)$ {{ return 302 /1/$1; }}
    location ~ ^/3/(.*)$ {{ return 301 /2/$1; }}
  }}
}}
"""


def nginx(folder: Path, port: int) -> Launch:
    """One worker; every Location names another URL, so that no client gains by remembering."""
    conf = write(folder, "nginx.conf", CONF.format(folder=folder, port=port))
    return Launch((program("nginx"), "-e", "stderr", "-p", str(folder), "-c", conf))


def urls(port: int, count: int, longest: int = LONGEST) -> Iterator[str]:
    """URLs that redirect once, twice, … `longest` times, in turn; no two are equal."""
    for number in range(count):
        yield f"http://127.0.0.1:{port}/{number % longest + 1}/{number}"


def requests_for(count: int, longest: int = LONGEST) -> int:
    """How many requests it takes to follow that many URLs to their end."""
    return sum(number % longest + 2 for number in range(count))
