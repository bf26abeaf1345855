"""Real programs that redirect: how one is started, and what it is asked.

A name is `PROGRAM-SETTING`, as the captures are named. What stands in braces in `argv`, `files` and
`environment` is filled in when the program starts (`running`). Programs that are absent skip the test
(`tests.examples.running.program`).
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from unittest import mock

import msgspec
import pytest

from tests.examples.running import REPOSITORY, free_port, program
from tests.examples.staging import Certificate
from tests.follow.staging.stage import Listening

APPS = Path(__file__).parent / "apps"
MODULES = REPOSITORY / "tests" / "peers"
HOST = "shop.example.test"


class Ask(msgspec.Struct, frozen=True):
    """One request, and why the program redirects it."""

    cause: str
    method: str
    target: str
    emitter: str = ""  # where it is another than the row's

    @property
    def name(self) -> str:
        """The request, as a part of a file's name."""
        plain = self.target.replace("?status=", "-").strip("/").translate(str.maketrans("/?=.", "----"))
        return f"{self.method.lower()}-{plain or 'root'}"


class Program(msgspec.Struct, frozen=True):
    """A program, how it is started, and what it is asked."""

    name: str
    emitter: str
    argv: tuple[str, ...]
    asks: tuple[Ask, ...]
    environment: Mapping[str, str] = {}
    files: Mapping[str, str] = {}  # written to {folder} before it starts
    behind: Program | None = None  # what it passes requests on to, at {behind}
    scheme: str = "http"


def asks(cause: str, *targets: str, methods: str = "GET POST", emitter: str = "") -> tuple[Ask, ...]:
    """Each of these targets with each of these methods."""
    return tuple(Ask(cause, method, target, emitter) for target in targets for method in methods.split())


def _importing(module: str) -> tuple[str, ...]:
    return (sys.executable, "-c", f"import {module}")


def _resolving(module: str) -> tuple[str, ...]:
    return ("node", "-e", f"require.resolve('{module}', {{ paths: ['{MODULES}'] }})")


# Commands that fail where an emitter's library is absent.
LIBRARIES: dict[str, tuple[str, ...]] = {
    "Starlette": _importing("starlette"),
    "Django": _importing("django"),
    "Flask": _importing("flask"),
    "aiohttp": _importing("aiohttp"),
    "Tornado": _importing("tornado"),
    "Express": _resolving("express"),
    "Fastify": _resolving("@fastify/static"),
    "Sinatra": ("ruby", "-e", "require 'sinatra/base'"),
    "Rails": ("ruby", "-e", "require 'action_controller/railtie'"),
    "Tomcat": ("ls", "/usr/share/java/tomcat10-embed-core.jar"),
    "Jetty": ("ls", "/usr/share/java/jetty9-server.jar"),
}


@contextlib.contextmanager
def running(asked: Program, folder: Path) -> Iterator[int]:
    """The port it listens on; it ends with the block. Skips when it, or its library, is absent.

    {port} {port2}: free ports, {behind}: the port of what is behind it, {folder}: where its files are,
    {apps}: the tests' applications, {python}: this Python, {nginx user} and {apache user}: directives for a
    user who may read {folder}, {cert}, {key} and {pem} (both): a certificate for `HOST`, {go}:
    `redirects.go`, built.
    """
    first, *_ = library = LIBRARIES.get(asked.emitter, (sys.executable, "-c", ""))
    if subprocess.run([program(first), *library[1:]], capture_output=True, timeout=60).returncode:
        pytest.skip(f"the library of {asked.emitter} is not installed: {' '.join(library)}")
    with contextlib.ExitStack() as stack:
        behind = 0
        if asked.behind is not None:
            (folder / "behind").mkdir()
            behind = stack.enter_context(running(asked.behind, folder / "behind"))
        port = free_port()
        told = _told(asked, folder, port, behind)
        for name, text in asked.files.items():
            (folder / name).write_text(_filled(text, told))
        first, *rest = (_filled(word, told) for word in asked.argv)
        more = {name: _filled(text, told) for name, text in asked.environment.items()}
        environment = {"PYTHONPATH": str(APPS), "PYTHONDONTWRITEBYTECODE": "1", **more}
        with mock.patch.dict(os.environ, environment):
            stack.enter_context(Listening([program(first), *rest], folder, port))
        yield port


def _told(asked: Program, folder: Path, port: int, behind: int) -> dict[str, str]:
    root = os.geteuid() == 0
    told = {
        "{port}": str(port),
        "{port2}": str(free_port()),
        "{behind}": str(behind),
        "{folder}": str(folder),
        "{apps}": str(APPS),
        "{python}": sys.executable,
        "{nginx user}": "user root;" if root else "",
        "{apache user}": "User nobody\nGroup nogroup" if root else "",
    }
    if "{go}" in asked.argv:
        told["{go}"] = str(_built(folder, asked.environment.get("DETOUR_GO", "go")))
    if any("{cert}" in text or "{pem}" in text for text in asked.files.values()):
        issued, pem = Certificate.issue(folder, HOST), folder / "both.pem"
        pem.write_text(issued.cert.read_text() + issued.key.read_text())
        told |= {"{cert}": str(issued.cert), "{key}": str(issued.key), "{pem}": str(pem)}
    return told


def _filled(word: str, told: Mapping[str, str]) -> str:
    for place, text in told.items():
        word = word.replace(place, text)
    return word


def _built(folder: Path, compiler: str) -> Path:
    binary = folder / "redirects"
    building = [program(compiler), "build", "-o", str(binary), str(APPS / "redirects.go")]
    subprocess.run(building, check=True, timeout=300, cwd=folder)
    return binary
