"""The rows: how each peer is told to answer `/v1/resource` with one 307, and nothing else.

Every peer gets one process or thread that serves, keep-alive without a request limit, and no access log.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import msgspec

from bench.process import Absent, Launch
from bench.programs import program, python_version, says, write
from bench.serve.load import LOCATION, TARGET

HERE = Path(__file__).parent

Start = Callable[[Path, int], Launch]


class Peer(msgspec.Struct, frozen=True):
    """A row of the table. `start` writes what the peer needs into a folder and says how to launch it."""

    name: str
    version: Callable[[], str]
    start: Start
    note: str = ""


# -- Detour


def detour(folder: Path, port: int) -> Launch:
    """One rule, one worker, the admin listener off."""
    rules = f'[[rule]]\nname = "resource"\npattern = "{TARGET}"\nlocation = "{LOCATION}"\n'
    argv = (program("detour"), "serve", write(folder, "detours.toml", rules))
    return Launch((*argv, "--listen", f"http://127.0.0.1:{port}", "--workers", "1", "--admin", "off"))


# -- yardsticks


def bare(folder: Path, port: int) -> Launch:
    """bare.py: uvloop and httptools with nothing between."""
    return Launch((sys.executable, "-m", "bench.serve.bare", str(port)))


def epoll(folder: Path, port: int) -> Launch:
    """epoll.c, compiled now."""
    built = folder / "epoll"
    argv = [program("cc"), "-O2", "-o", str(built), str(HERE / "epoll.c")]
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    if ended.returncode:
        raise Absent(f"does not compile: {ended.stderr.strip().splitlines()[-1]}")
    return Launch((str(built), str(port)))


# -- other servers


NGINX = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=1024;
    location = {target} {{ return 307 {location}; }}
  }}
}}
"""


def nginx(folder: Path, port: int) -> Launch:
    """`return 307` in an exact location."""
    text = NGINX.format(folder=folder, port=port, target=TARGET, location=LOCATION)
    argv = (program("nginx"), "-e", "stderr", "-p", str(folder), "-c", write(folder, "nginx.conf", text))
    return Launch(argv)


HAPROXY = """\
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout client 60s
  timeout http-request 10s
  timeout http-keep-alive 60s
frontend resource
  bind 127.0.0.1:{port} backlog 1024
  {option}
  http-request {action} if {{ path {target} }}
  http-request return status 404
"""


REDIRECT = f"redirect location {LOCATION} code 307"
RETURN = f"return status 307 hdr Location {LOCATION}"
BUFFER = "option http-buffer-request"


def _haproxy(option: str, action: str) -> Start:
    def start(folder: Path, port: int) -> Launch:
        text = HAPROXY.format(port=port, target=TARGET, option=option, action=action)
        return Launch((program("haproxy"), "-q", "-db", "-f", write(folder, "haproxy.cfg", text)))

    return start


CADDY = """\
{{
  admin off
  persist_config off
  auto_https off
}}
http://:{port} {{
  bind 127.0.0.1
  redir {target} {location} 307
}}
"""


def caddy(folder: Path, port: int) -> Launch:
    """`redir` with 307; one thread runs Go code."""
    text = CADDY.format(port=port, target=TARGET, location=LOCATION)
    argv = (program("caddy"), "run", "--adapter", "caddyfile", "--config", write(folder, "Caddyfile", text))
    env = {"GOMAXPROCS": "1", "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    return Launch(argv, env)


PEERS = (
    Peer("detour", lambda: f"detour-http {version('detour-http')}, {python_version()}", detour),
    Peer("bare", python_version, bare, "uvloop and httptools, no rules, no limits, no timeouts"),
    Peer("nginx", says("nginx", "-v"), nginx),
    Peer("haproxy", says("haproxy", "-v"), _haproxy("", REDIRECT), "closes after each POST"),
    Peer("haproxy-buffer", says("haproxy", "-v"), _haproxy(BUFFER, REDIRECT), BUFFER),
    Peer("haproxy-return", says("haproxy", "-v"), _haproxy(BUFFER, RETURN), f"{BUFFER}; `return`"),
    Peer("caddy", says("caddy", "version"), caddy),
    Peer("epoll", says("cc", "--version"), epoll, "the kernel's floor: no HTTP, constant bytes, no Date"),
)
