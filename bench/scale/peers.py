"""The rows: how each peer is told a whole rule set, in the form it is fastest at.

One process or thread serves, keep-alive without a request limit, no access log. Where a peer has more than
one way to say a rule, it is told in the one that was the fastest here.
"""

from __future__ import annotations

import csv
import subprocess
import time
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path

import msgspec

from bench.process import Absent, Launch
from bench.programs import program, python_version, says, write
from bench.scale.envoy import envoy
from bench.scale.kinds import Kind, Rule

COMPILE_SECONDS = 300


class Prepared(msgspec.Struct, frozen=True):
    """A launch, and the seconds of work that were done for it beforehand (a compiler's)."""

    launch: Launch
    seconds: float = 0.0


class Peer(msgspec.Struct, frozen=True):
    """A row of the tables. `most` is the largest set of a form that it holds in sensible time or memory; what
    happens beyond stands in `because`."""

    name: str
    version: Callable[[], str]
    prepare: Callable[[Path, int, Kind, int], Prepared]
    most: dict[str, int] = {}
    because: dict[str, str] = {}
    targets: int | None = None  # distinct targets asked for; None: as many as the load has
    hits: tuple[str, ...] | None = None  # None: all

    def limit(self, kind: Kind) -> tuple[int, str]:
        """The largest count that it holds of `kind`, and why not more."""
        bounds = [(self.most[form], self.because[form]) for form in sorted(kind.forms()) if form in self.most]
        return min(bounds, default=(10**9, ""))


# -- Detour


@cache
def _compiled(folder: Path, kind: Kind, count: int) -> tuple[Path, float]:
    """The compiled set, made once for all rows, and the seconds that took."""
    folder = folder / f"{kind.name}-{count}-compiled"
    folder.mkdir(exist_ok=True)
    with (folder / "rules.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("source", "target", "status"))
        table.writerows((rule.source, rule.template, 307) for rule in kind.rules(count))
    rules = write(folder, "detours.toml", '[[rule]]\nname = "bulk"\nimport = "rules.csv"\ndialect = "csv"\n')
    compiled = folder / "rules.detours"
    argv = [program("detour"), "compile", rules, "-o", str(compiled)]
    began = time.monotonic()
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=COMPILE_SECONDS, check=False)
    if ended.returncode:
        said = [line for line in (ended.stderr + ended.stdout).splitlines() if any(map(str.isalnum, line))]
        raise Absent(f"`detour compile`: {said[-1].strip() if said else ended.returncode}")
    return compiled, time.monotonic() - began


def _detour(*flags: str) -> Callable[[Path, int, Kind, int], Prepared]:
    def prepare(folder: Path, port: int, kind: Kind, count: int) -> Prepared:
        compiled, seconds = _compiled(folder.parent, kind, count)
        argv = (program("detour"), "serve", str(compiled), "--listen", f"http://127.0.0.1:{port}")
        return Prepared(Launch((*argv, "--workers", "1", "--admin", "off", *flags)), seconds)

    return prepare


# -- nginx

NGINX = """\
daemon off;
worker_processes 1;
pcre_jit on;
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
  map_hash_max_size {hash_size};
  map_hash_bucket_size 1024;
  map $uri ${name} {{
    {look_up}
  }}
  server {{
    listen 127.0.0.1:{port} backlog=1024;
    {answer}
  }}
}}
"""
MAPPED = "if ($to) { return 307 $to; }\n    return 404;"


def _nginx_line(rule: Rule) -> str:
    if rule.form == "exact":
        return f'"{rule.key}" "{rule.to}";'
    key, to = (rule.key, rule.to) if rule.form == "regex" else (f"^{rule.key}(.*)$", rf"{rule.to}\1")
    return '"~{}" "{}";'.format(key, to.replace("\\", "$"))


def _nginx(folder: Path, port: int, kind: Kind, count: int) -> Prepared:
    """One `map` over $uri; prefixes alone are locations, which nginx keeps in a tree."""
    if kind.forms() == {"prefix"}:
        name, look_up = "rest", '"~^/[^/]+/[^/]+/(.*)$" $1;'
        rules = sorted(kind.rules(count))  # it sorts locations by insertion: fast when sorted
        answer = "\n".join(f"location {rule.key} {{ return 307 {rule.to}$rest; }}" for rule in rules)
    else:
        name, answer = "to", MAPPED
        look_up = "\n".join(map(_nginx_line, kind.rules(count)))
    text = NGINX.format(
        folder=folder, port=port, hash_size=max(2048, 2 * count), name=name, look_up=look_up, answer=answer
    )
    argv = (program("nginx"), "-e", "stderr", "-p", str(folder), "-c", write(folder, "nginx.conf", text))
    return Prepared(Launch(argv))


# -- HAProxy

HAPROXY = """\
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout client 60s
  timeout http-request 10s
  timeout http-keep-alive 60s
frontend rules
  bind 127.0.0.1:{port} backlog 1024
  {look_ups}
  http-request redirect location %[var(txn.to)] code 307 if {{ var(txn.to) -m found }}
  http-request return status 404
"""
LOOK_UPS = {
    "exact": "http-request set-var(txn.to) path,map_str({file})",
    "prefix": "http-request set-var(txn.area) path,map_beg({file})\n"
    "  http-request redirect location %[var(txn.area)]%[path,field(4,/,0)] code 307"
    " if {{ var(txn.area) -m found }}",
    "regex": "http-request set-var(txn.to) path,map_regm({file}) unless {{ var(txn.to) -m found }}",
}


def _haproxy(folder: Path, port: int, kind: Kind, count: int) -> Prepared:
    """A map file for each form of rule; map_regm puts groups into the value."""
    look_ups = []
    for form in sorted(kind.forms()):
        file = folder / f"{form}.map"
        with file.open("w", encoding="ascii") as lines:
            lines.writelines(f"{rule.key} {rule.to}\n" for rule in kind.rules(count) if rule.form == form)
        if file.stat().st_size:
            look_ups.append(LOOK_UPS[form].format(file=file))
    text = HAPROXY.format(port=port, look_ups="\n  ".join(look_ups))
    return Prepared(Launch((program("haproxy"), "-q", "-db", "-f", write(folder, "haproxy.cfg", text))))


# -- Caddy

CADDY = """\
{{
  admin off
  persist_config off
  auto_https off
}}
http://:{port} {{
  bind 127.0.0.1
  map {{path}} {{to}} {{
{lines}
    default ""
  }}
  @hit not vars {{to}} ""
  redir @hit {{to}} 307
  respond 404
}}
"""


def _caddy_line(rule: Rule) -> str:
    if rule.form == "exact":
        return f'    "{rule.key}" "{rule.to}"'
    key, to = (rule.key, rule.to) if rule.form == "regex" else (f"^{rule.key}(.*)$", rf"{rule.to}\1")
    return f"    ~`{key}` `{to}`".replace("\\1", "${1}").replace("\\2", "${2}").replace("~`", "`~")


def _caddy(folder: Path, port: int, kind: Kind, count: int) -> Prepared:
    """`map` and `redir`: one comparison after the other, strings too."""
    text = CADDY.format(port=port, lines="\n".join(map(_caddy_line, kind.rules(count))))
    argv = (program("caddy"), "run", "--adapter", "caddyfile", "--config", write(folder, "Caddyfile", text))
    env = {"GOMAXPROCS": "1", "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    return Prepared(Launch(argv, env))


def _envoy(folder: Path, port: int, kind: Kind, count: int) -> Prepared:
    path = folder / "envoy.json"
    path.write_bytes(envoy(port, kind.forms(), kind.rules(count)))
    argv = (program("envoy"), "-c", str(path), "--concurrency", "1", "--disable-hot-restart")
    return Prepared(Launch((*argv, "--log-level", "error")))


_SELF = f"detour-http {version('detour-http')}, {python_version()}"

# Found by trial on two cores; smaller sets are tried, and a peer that cannot hold them says so itself.
IN_TURN = "regexes are tried one after the other: milliseconds an answer at 10^5"
ENVOY_LOADS = "10^6 take 40 s and 3.9 GB to load"

PEERS = (
    Peer("detour", lambda: _SELF, _detour("--memo", "0")),
    Peer("detour-memo", lambda: _SELF, _detour(), targets=10_000, hits=("random",)),
    Peer(
        "nginx",
        says("nginx", "-v"),
        _nginx,
        most={"prefix": 10**5, "regex": 10**4},
        because={"prefix": "10^6 locations take over 6 GB to load", "regex": IN_TURN},
    ),
    Peer("haproxy", says("haproxy", "-v"), _haproxy, most={"regex": 10**4}, because={"regex": IN_TURN}),
    Peer(
        "caddy",
        says("caddy", "version"),
        _caddy,
        most={"exact": 10**5, "prefix": 10**4, "regex": 10**4},
        because={"exact": "10^6 take 40 s to load and 13 ms an answer", "prefix": IN_TURN, "regex": IN_TURN},
    ),
    Peer(
        "envoy",
        lambda: says("envoy", "--version")().partition("version: ")[2],
        _envoy,
        most={"exact": 10**5, "prefix": 10**5, "regex": 10**4},
        because={"exact": ENVOY_LOADS, "prefix": ENVOY_LOADS, "regex": IN_TURN},
    ),
)
