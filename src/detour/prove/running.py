"""A real server with one configuration, up on free ports of loopback, and asked."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from detour.errors import DetourError
from detour.lab.authority import make_authority
from detour.prove.compare import Answer, answer
from detour.prove.questions import Question
from detour.prove.servers import Place, Server

PATIENCE = 20.0  # seconds until a server that does not answer counts as not started
_PORTS = {"http": 80, "https": 443}
_TIMEOUT = 5.0  # seconds, of one question


class Door:
    """Where a server listens: the ports that its configuration names, on free ones."""

    def __init__(self) -> None:
        self._ports: dict[int, int] = {}

    def __call__(self, written: int) -> int:
        if written not in self._ports:
            self._ports[written] = free_port()
        return self._ports[written]

    @property
    def listening(self) -> list[int]:
        """Every port that is listened on."""
        return [*self._ports.values()]

    def listens_on(self, written: int) -> int | None:
        """The port that stands for `written`; None where nothing listens there."""
        return self._ports.get(written)

    def written(self, listening: int) -> int | None:
        """The port that `listening` stands for; None where nothing listens there."""
        return next((written for written, free in self._ports.items() if free == listening), None)


def free_port() -> int:
    """A port the kernel just had free on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Asked:
    """A server that is up."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._context = ssl.create_default_context()
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE  # it is our own, on loopback

    def ask(self, question: Question) -> Answer | None:
        """What it answers, connected to as the question's URL says; None where it does not listen there.

        A connection that ends without an answer is status 0.
        """
        port = question.authority.rpartition(":")[2] if ":" in question.authority else ""
        written = int(port) if port.isdigit() else 443 if question.scheme == "https" else 80
        listening = self._door.listens_on(written)
        if listening is None:
            return None
        connection: http.client.HTTPConnection
        if question.scheme == "https":
            connection = http.client.HTTPSConnection(
                "127.0.0.1", listening, timeout=_TIMEOUT, context=self._context
            )
        else:
            connection = http.client.HTTPConnection("127.0.0.1", listening, timeout=_TIMEOUT)
        try:
            connection.putrequest(question.method, question.target, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", question.authority)
            for name, value in question.fields:
                connection.putheader(name, value)
            if question.method in ("POST", "PUT", "PATCH"):
                connection.putheader("Content-Length", "0")
            connection.endheaders()
            response = connection.getresponse()
            locations = map(_text, response.headers.get_all("location") or [])
            return answer(
                response.status, [_as_written(one, self._door, question) for one in locations], question
            )
        except ssl.SSLError:
            return None  # no TLS is spoken there
        except (OSError, http.client.HTTPException):
            return Answer(0)
        finally:
            connection.close()


def _text(field: str) -> str:
    """A field's octets as a client that resolves Locations takes them: as UTF-8 where they are that."""
    octets = field.encode("latin-1")
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return field


def _as_written(location: str, door: Door, question: Question) -> str:
    """A Location of the server's own, with the ports that were written instead of the free ones."""
    host, _, port = question.authority.partition(":")

    def put(found: re.Match[str]) -> str:
        written = door.written(int(found["port"]))
        if written is None:
            return found[0]
        own = door.listens_on(int(port)) == int(found["port"]) if port.isdigit() else False
        implied = not own and written == _PORTS[found["scheme"].lower()]
        return f"{found['origin']}{'' if implied else f':{written}'}"

    scheme = "(?P<scheme>https?)"
    return re.sub(rf"(?i)^(?P<origin>{scheme}://{re.escape(host)}):(?P<port>[0-9]+)(?![0-9])", put, location)


@contextlib.contextmanager
def running(server: Server, text: str, beside: Mapping[str, str] | None = None) -> Iterator[Asked]:
    """`server` with the configuration `text`, and files `beside` it, until the block ends.

    Raises `DetourError` where it is not installed, or does not start, with what it said.
    """
    program = server.found()
    if program is None:
        raise DetourError(f"{server.program}: not installed; install it to prove what is written for it")
    with tempfile.TemporaryDirectory(prefix="detour-prove-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # workers of some servers run as another user
        authority = make_authority(folder, ("127.0.0.1",))
        door = Door()
        place = Place(folder, str(authority.origin), str(authority.origin_key), os.geteuid() == 0)
        _write(folder, beside or {})  # in front: its own program may read them to make the files
        _write(folder, server.files(text, place, door))
        words = [word.format(folder=folder, free=free_port()) for word in server.argv]
        with _process([program, *words], folder) as (process, log):
            asked = Asked(door)
            _wait(server, process, log, door, asked)
            yield asked


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for file, content in files.items():
        written = folder / file
        written.parent.mkdir(parents=True, exist_ok=True)
        written.write_text(content)


@contextlib.contextmanager
def _process(words: list[str], folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    log = folder / "server.log"
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with log.open("wb") as out:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env={**kept, **home}, cwd=folder,
            start_new_session=True,
        )  # fmt: skip
    try:
        yield process, log
    finally:
        if process.poll() is None:
            process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()
        process.wait()


def _wait(server: Server, process: subprocess.Popen[bytes], log: Path, door: Door, asked: Asked) -> None:
    """Until every port takes connections and the configuration is read.

    Raises `DetourError` with the last line the server said.
    """
    deadline = time.monotonic() + PATIENCE
    waiting = door.listening
    if not waiting:
        raise DetourError(
            f"{server.program}: the configuration listens on no port that could be moved; write one"
        )
    ready = not server.ready
    while waiting or not ready:
        if process.poll() is not None or time.monotonic() > deadline:
            said = log.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
            raise DetourError(f"{server.program} does not start with this configuration: {said[-1][:300]}")
        waiting = [port for port in waiting if not _is_open(port)]
        if not waiting and not ready:
            tried = [asked.ask(Question("GET", scheme, "ready.invalid", server.ready)) for scheme in _PORTS]
            ready = all(got is not None and got.redirects for got in tried)
        if waiting or not ready:
            time.sleep(0.02)


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
