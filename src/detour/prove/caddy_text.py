"""A configuration of Caddy's as its own program has it, JSON, on other ports and with one certificate.

Routes stay as they are; what is left out are certificates, logs, storage and the admin endpoint of its owner.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from detour.errors import DetourError
from detour.formats.caddy import json_config

_LISTEN = re.compile(r"(?:tcp[46]?/)?(?P<host>.*?):(?P<port>\d+)(?:-\d+)?")
_NOWHERE = 20000  # and more: ports that nothing listens on
_TLS: dict[str, Any] = {"tls_connection_policies": [{}]}
# Names get certificates of an authority of this Caddy's own, which nothing else is told of.
_OWN = {"policies": [{"issuers": [{"module": "internal"}]}]}
_PKI = {"certificate_authorities": {"local": {"install_trust": False}}}
_SECONDS = 20.0  # for `caddy adapt`


def adapted(program: str, text: str, folder: Path) -> dict[str, Any]:
    """A Caddyfile as JSON, by Caddy itself; raises `DetourError` with what it says is wrong."""
    if json_config.detect(text):
        found: dict[str, Any] = json.loads(text)
        return found
    (folder / "Caddyfile").write_text(text)
    home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    words = [program, "adapt", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    done = subprocess.run(
        words,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **home},
        cwd=folder,
        timeout=_SECONDS,
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise DetourError(f"caddy does not start with this configuration: {said[:300]}")
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def moved(
    configuration: Mapping[str, Any], certificate: str, key: str, ports: Callable[[int], int]
) -> dict[str, Any]:
    """The HTTP app alone, on free ports."""
    http = dict(configuration.get("apps", {}).get("http", {}))
    known = {http.get("http_port", 80): 80, http.get("https_port", 443): 443}
    servers = {
        name: _moved(server, known, ports)
        for name, server in http.get("servers", {}).items()
        if any(_LISTEN.fullmatch(one) for one in server.get("listen", ()))
    }
    opened = {known.get(port, port) for server in http.get("servers", {}).values() for port in _ports(server)}
    if 80 not in opened and any(_redirects(one, known) for one in http.get("servers", {}).values()):
        opened.add(80)  # Caddy opens it by itself
    doors = {80: "http_port", 443: "https_port"}
    http |= {name: ports(port) if port in opened else _NOWHERE + port for port, name in doors.items()}
    http["servers"] = servers
    files = {"load_files": [{"certificate": certificate, "key": key}]}
    return {
        "admin": {"disabled": True, "config": {"persist": False}},
        "logging": {"logs": {"default": {"level": "ERROR"}}},
        "apps": {"http": http, "tls": {"certificates": files, "automation": _OWN}, "pki": _PKI},
    }


def _ports(server: Mapping[str, Any]) -> list[int]:
    listened = (found for one in server.get("listen", ()) if (found := _LISTEN.fullmatch(one)))
    return [int(found["port"]) for found in listened]


def _redirects(server: Mapping[str, Any], known: Mapping[int, int]) -> bool:
    """Whether Caddy redirects to it by itself (modules/caddyhttp/autohttps.go)."""
    automatic = server.get("automatic_https", {})
    if automatic.get("disable") or automatic.get("disable_redirects"):
        return False
    doors = {known.get(port, port) for port in _ports(server)}
    hosts = (
        host
        for route in server.get("routes", ())
        for matcher in route.get("match", ())
        for host in matcher.get("host", ())
    )
    named = any(host not in automatic.get("skip", ()) for host in hosts)
    return doors != {80} and (named or bool(server.get("tls_connection_policies")) or doors == {443})


def _moved(
    server: Mapping[str, Any], known: Mapping[int, int], ports: Callable[[int], int]
) -> dict[str, Any]:
    made = {key: value for key, value in server.items() if key not in ("logs", "listener_wrappers")}
    made["listen"] = [f"127.0.0.1:{ports(known.get(port, port))}" for port in dict.fromkeys(_ports(server))]
    made["protocols"] = ["h1"]
    return made | (_TLS if server.get("tls_connection_policies") else {})
