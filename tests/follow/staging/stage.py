"""Real servers on loopback for one chain: each method starts one, all end with the block."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from detour.core.chain import Chain, Fields
from tests.examples.running import Nginx, Running, eventually, free_port, plain_environment, program
from tests.examples.staging import Certificate
from tests.follow.staging.walk import HOSTS, rooms, walk


class Listening(Running):
    """A program that is ready when its port answers."""

    def __init__(self, argv: list[str], folder: Path, port: int) -> None:
        self._port = port
        super().__init__(argv, folder)

    def ready(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1):
            return True
        return False


class Stage(contextlib.ExitStack):
    """A folder, a certificate for `HOSTS`, and the servers started so far."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.certificate = Certificate.issue(folder, *HOSTS)
        self.pem = folder / "both.pem"
        self.pem.write_text(self.certificate.cert.read_text() + self.certificate.key.read_text())

    def nginx(self, servers: str) -> None:
        """nginx with these `server {}` blocks; {tls} in them stands for the certificate's directives."""
        tls = f"ssl_certificate {self.certificate.cert}; ssl_certificate_key {self.certificate.key};"
        text = servers.replace("{tls}", tls)
        port = int(text.split("127.0.0.1:", 1)[1].split(";")[0].split()[0])
        self.enter_context(Nginx(text, port, self._room("nginx")))

    def haproxy(self, text: str, port: int) -> None:
        """HAProxy with these sections; {pem} in them stands for the certificate and its key."""
        timeouts = "".join(f"  timeout {what} 10s\n" for what in ("connect", "client", "server"))
        config = f"defaults\n  mode http\n{timeouts}{text.replace('{pem}', str(self.pem))}\n"
        written = self._written("haproxy", "haproxy.cfg", config)
        self._start([program("haproxy"), "-db", "-f", str(written)], port)

    def apache(self, text: str, port: int) -> None:
        """Apache with these directives, mod_rewrite loaded."""
        modules = Path("/usr/lib/apache2/modules")
        loaded = {
            "mpm_event_module": "mpm_event",
            "authz_core_module": "authz_core",
            "rewrite_module": "rewrite",
        }
        room = self._room("apache")
        lines = [f"LoadModule {name} {modules}/mod_{file}.so" for name, file in loaded.items()]
        lines += [
            f"ServerRoot {room}",
            f"PidFile {room}/pid",
            f"ErrorLog {room}/errors",
            "ServerName localhost",
        ]
        lines += [f"DefaultRuntimeDir {room}", f"Listen 127.0.0.1:{port}"]
        lines += ["User nobody", "Group nogroup"] if os.geteuid() == 0 else []
        (room / "apache.conf").write_text("\n".join([*lines, text, ""]))
        self._start([program("apache2"), "-X", "-f", str(room / "apache.conf")], port)

    def traefik(self, middleware: str, port: int) -> None:
        """Traefik that sends everything through one middleware, written in YAML."""
        written = self._written("traefik", "dynamic.yml", TRAEFIK.replace("{middleware}", middleware))
        flags = [f"--entryPoints.web.address=127.0.0.1:{port}", f"--providers.file.filename={written}"]
        flags += ["--global.checkNewVersion=false", "--providers.providersThrottleDuration=10ms"]
        self._start([program("traefik"), *flags], port)
        eventually(lambda: self._redirects(port), "Traefik has read its routers")

    def uvicorn(self, text: str, port: int, *flags: str) -> None:
        """uvicorn with the ASGI application `app` of this module."""
        written = self._written("uvicorn", "application.py", text)
        where = ["--app-dir", str(written.parent), "--port", str(port), "--log-level", "warning"]
        self._start([program("uvicorn"), "application:app", *where, *flags], port)

    def gunicorn(self, text: str, port: int) -> None:
        """gunicorn with the WSGI application `app` of this module."""
        written = self._written("gunicorn", "application.py", text)
        where = ["--chdir", str(written.parent), "--bind", f"127.0.0.1:{port}", "--no-control-socket"]
        where += ["--forwarded-allow-ips", "10.255.255.254"]  # as where the proxy is another machine
        self._start([program("gunicorn"), *where, "application:app"], port)

    def caddy(self, text: str, port: int) -> None:
        """Caddy with this Caddyfile; {tls} in it stands for the certificate's directive."""
        tls = f"tls {self.certificate.cert} {self.certificate.key}"
        written = self._written("caddy", "Caddyfile", text.replace("{tls}", tls))
        self._start([program("caddy"), "run", "--config", str(written), "--adapter", "caddyfile"], port)

    def script(self, interpreter: str, suffix: str, text: str, port: int) -> None:
        """A script that listens on the port it gets as its argument."""
        written = self._written(interpreter, f"script-{port}{suffix}", text)
        running = sys.executable if interpreter == "python" else program(interpreter)
        self._start([running, str(written), str(port)], port)

    def go(self, text: str, port: int) -> None:
        """A Go program that listens on the port it gets as its argument."""
        written = self._written("go", "main.go", text)
        binary = written.with_suffix("")
        building = Running([program("go"), "build", "-o", str(binary), str(written)], self.folder)
        assert building.process.wait(300) == 0, building.log
        self._start([str(binary), str(port)], port)

    def chain(self, method: str, url: str, doors: Mapping[int, int], fields: Fields = ()) -> Chain:
        """What becomes of a request; port P of any host is port `doors[P]` here."""
        return walk(method, url, doors, self.certificate.ca, fields)

    def traced(self, method: str, url: str, doors: Mapping[int, int]) -> str:
        """What `detour trace` prints about the same request."""
        asked = ["-X", method, "-d", "a=1"] if method == "POST" else []
        ways = [flag for room in rooms(doors) for flag in ("--connect-to", room)]
        argv = [
            program("detour"),
            "trace",
            *asked,
            url,
            "--send",
            "--cacert",
            str(self.certificate.ca),
            *ways,
        ]
        done = subprocess.run(
            argv, capture_output=True, text=True, env=plain_environment(), timeout=60, check=False
        )
        assert done.returncode in (0, 1), done.stderr
        return done.stdout

    def _redirects(self, port: int) -> bool:
        first = self.chain("GET", f"http://{HOSTS[0]}/", {80: port}).hops[0]
        return first.location_url is not None

    def _start(self, argv: list[str], port: int) -> None:
        self.enter_context(Listening(argv, self.folder, port))

    def _room(self, name: str) -> Path:
        room = self.folder / f"{name}-{free_port()}"
        room.mkdir()
        return room

    def _written(self, program_name: str, file: str, text: str) -> Path:
        written = self._room(program_name) / file
        written.write_text(text)
        return written


TRAEFIK = """
http:
  routers:
    all:
      rule: PathPrefix(`/`)
      service: noop@internal
      middlewares: [moved]
  middlewares:
    moved:
{middleware}
"""
