"""The real servers, one row each: how a configuration becomes files that start on free ports of loopback.

A configuration names ports 80, 443 and others. Each is replaced by a free one where the configuration says
that it listens, and nowhere else; questions name the ports that were written.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import yaml

from detour.prove import apache_text, caddy_text, nginx_text
from detour.prove.compare import Explanation
from detour.prove.explanations import APACHE, KNOWN, NGINX, OF_HOSTS
from detour.prove.whole import APACHE_ROOT

Ports = Callable[[int], int]  # the port that was written -> the one that is listened on


class Place(msgspec.Struct, frozen=True):
    """Where a server runs: its folder, and the certificate that it shows."""

    folder: Path
    certificate: str
    key: str
    root: bool  # whether it would run as root


class Server(msgspec.Struct, frozen=True):
    """A program that redirects."""

    name: str  # that of its dialect
    program: str
    argv: tuple[str, ...]  # {folder}, {free} (some free port) are replaced
    files: Callable[[str, Place, Ports], Mapping[str, str]]
    explanations: tuple[Explanation, ...] = ()
    tls: bool = True
    ready: str = ""  # a path it redirects once its configuration is read; "": when its ports are open

    def found(self) -> str | None:
        """The program's path, beside this Python or on the path; None where it is not installed."""
        return shutil.which(self.program, path=str(Path(sys.executable).parent)) or shutil.which(self.program)


# --- nginx -------------------------------------------------------------------------------------------

_NGINX = """daemon off;
worker_processes 1;
{user}pid {folder}/nginx.pid;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server_names_hash_max_size 65536;
  server_names_hash_bucket_size 256;
  ssl_certificate {certificate};
  ssl_certificate_key {key};
{text}
}}
"""


def _nginx(text: str, place: Place, ports: Ports) -> Mapping[str, str]:
    inside = nginx_text.moved(nginx_text.http_block(text), ports)
    user = "user root;\n" if place.root else ""
    return {
        "nginx.conf": _NGINX.format(
            folder=place.folder, user=user, certificate=place.certificate, key=place.key, text=inside
        )
    }


# --- Apache ------------------------------------------------------------------------------------------

_APACHE = """{modules}
Define DETOUR_FOLDER {folder}
ServerRoot {folder}
DefaultRuntimeDir {folder}
PidFile {folder}/pid
ErrorLog {folder}/errors
TypesConfig /dev/null
ServerName localhost
{user}DocumentRoot {folder}/{root}
<Directory {folder}/{root}>
  AllowOverride All
  Require all granted
</Directory>
{hosts}
"""
_APACHE_HOSTS = """Listen 127.0.0.1:{plain}
Listen 127.0.0.1:{tls} https
<VirtualHost *:{plain}>
{text}
</VirtualHost>
<VirtualHost *:{tls}>
SSLEngine on
SSLCertificateFile {certificate}
SSLCertificateKeyFile {key}
{text}
</VirtualHost>
"""


def _apache(text: str, place: Place, ports: Ports) -> Mapping[str, str]:
    loaded = "\n".join(
        f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so"
        for name in apache_text.modules(text)
    )
    user = "User www-data\nGroup www-data\n" if place.root else ""
    if apache_text.has_hosts(text):  # a whole configuration
        hosts = apache_text.moved(text, ports)
    else:
        doors = {"plain": ports(80), "tls": ports(443)}
        hosts = _APACHE_HOSTS.format(text=text, **doors, certificate=place.certificate, key=place.key)
    made = _APACHE.format(modules=loaded, folder=place.folder, root=APACHE_ROOT, user=user, hosts=hosts)
    return {"apache.conf": made, f"{APACHE_ROOT}/.keep": ""}


# --- HAProxy -----------------------------------------------------------------------------------------

_HAPROXY = """global
  log stderr format raw local0 err
  tune.maxrewrite 8192
  tune.bufsize 32768
  default-path origin {folder}
defaults
  mode http
  timeout connect 10s
  timeout client 10s
  timeout server 10s
"""


def _haproxy(text: str, place: Place, ports: Ports) -> Mapping[str, str]:
    pem = Path(place.certificate).read_text() + Path(place.key).read_text()
    bound = re.sub(
        r"(?m)^(\s*bind\s+)[^\s:]*:(\d+)(.*)$",
        lambda found: f"{found[1]}127.0.0.1:{ports(int(found[2]))}{found[3]}",
        text,
    )
    bound = re.sub(r"ssl crt \S+", f"ssl crt {place.folder}/both.pem", bound)
    return {"haproxy.cfg": _HAPROXY.format(folder=place.folder) + bound + "\n", "both.pem": pem}


# --- Caddy -------------------------------------------------------------------------------------------


def _caddy(text: str, place: Place, ports: Ports) -> Mapping[str, str]:
    program = shutil.which("caddy", path=str(Path(sys.executable).parent)) or "caddy"
    configuration = caddy_text.adapted(program, text, place.folder)
    made = caddy_text.moved(configuration, place.certificate, place.key, ports)
    return {"caddy.json": json.dumps(made)}


# --- Envoy -------------------------------------------------------------------------------------------

_HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
_TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"


def _envoy(text: str, place: Place, ports: Ports) -> Mapping[str, str]:
    routes = yaml.safe_load(text)
    certificate = {
        "certificate_chain": {"filename": place.certificate},
        "private_key": {"filename": place.key},
    }
    listeners = []
    for port, tls in ((80, False), (443, True)):
        manager = {
            "@type": _HCM,
            "stat_prefix": "door",
            "route_config": routes,
            "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": _ROUTER}}],
        }
        chain: dict[str, object] = {
            "filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
        }
        if tls:
            socket = {"@type": _TLS, "common_tls_context": {"tls_certificates": [certificate]}}
            chain["transport_socket"] = {"name": "envoy.transport_sockets.tls", "typed_config": socket}
        address = {"socket_address": {"address": "127.0.0.1", "port_value": ports(port)}}
        listeners.append({"address": address, "filter_chains": [chain]})
    return {"envoy.json": json.dumps({"static_resources": {"listeners": listeners}})}


# --- Traefik -----------------------------------------------------------------------------------------


_READY = "/detour-is-ready"


def _traefik(text: str, place: Place, ports: Ports) -> Mapping[str, str]:
    static = {
        "entryPoints": {
            "web": {"address": f"127.0.0.1:{ports(80)}"},
            "websecure": {"address": f"127.0.0.1:{ports(443)}"},
        },
        "providers": {"file": {"filename": str(place.folder / "dynamic.yaml"), "watch": False}},
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "log": {"level": "ERROR"},
    }
    dynamic = yaml.safe_load(text) or {}
    pair = {"certFile": place.certificate, "keyFile": place.key}
    http = dynamic.setdefault("http", {})
    entries: tuple[tuple[str, dict[str, object]], ...] = (("web", {}), ("websecure", {"tls": {}}))
    for entry, tls in entries:
        http.setdefault("routers", {})[f"detour-ready-{entry}"] = {
            "rule": f"Path(`{_READY}`)",
            "priority": 1_000_000,
            "service": "noop@internal",
            "entryPoints": [entry],
            "middlewares": ["detour-ready"],
            **tls,
        }
    to = {"regex": ".*", "replacement": "http://ready.invalid/"}
    http.setdefault("middlewares", {})["detour-ready"] = {"redirectRegex": to}
    dynamic["tls"] = {"stores": {"default": {"defaultCertificate": pair}}}
    return {"traefik.yaml": yaml.safe_dump(static), "dynamic.yaml": yaml.safe_dump(dynamic)}


SERVERS = (
    Server(
        "nginx",
        "nginx",
        ("-e", "stderr", "-p", "{folder}", "-c", "{folder}/nginx.conf"),
        _nginx,
        NGINX,
    ),
    Server("apache", "apache2", ("-X", "-f", "{folder}/apache.conf"), _apache, APACHE),
    Server("haproxy", "haproxy", ("-db", "-f", "{folder}/haproxy.cfg"), _haproxy, OF_HOSTS),
    Server(
        "caddy",
        "caddy",
        ("run", "--config", "{folder}/caddy.json"),
        _caddy,
        OF_HOSTS,
    ),
    Server(
        "envoy",
        "envoy",
        ("-c", "{folder}/envoy.json", "--base-id", "{free}", "--log-level", "error", "--concurrency", "1"),
        _envoy,
        KNOWN,
    ),
    Server("traefik", "traefik", ("--configFile={folder}/traefik.yaml",), _traefik, OF_HOSTS, ready=_READY),
)


def server_for(dialect: str) -> Server | None:
    """The server that reads a dialect."""
    return next((server for server in SERVERS if server.name == dialect), None)
