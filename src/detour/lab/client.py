"""A client as a row: how it is found, installed, told to follow, and run."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from detour.lab.case import Caller, Case

Words = tuple[str, ...]

# What may stand in braces in the words of a row.
PLACEHOLDERS = {
    "python": "the Python that runs Detour, and the programs written in it",
    "its_python": "the Python of the client's own environment, where `detour lab setup` made one",
    "programs": "the folder of the programs; `node_modules` of the peers is linked into it",
    "peers": "the folder where `detour lab setup --install` puts what is no Debian package",
    "build": "a folder for what `prepare` makes",
    "ca": "the certificate of the lab's authority, PEM",
    "home": "an empty folder: the program's HOME",
}


class Install(msgspec.Struct, frozen=True, kw_only=True):
    """Where it comes from: names of packages, with versions where one is wanted."""

    debian: Words = ()
    pypi: Words = ()
    npm: Words = ()


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """One client. `version` is a command that fails where the client is absent; else the first number
    it prints, one with a dot if there is one, is the version. `prepare` runs once before the
    program, with the user's own HOME."""

    name: str
    language: str
    follows: str  # how its users tell it to follow redirects, and so does its program
    version: Words
    command: Words
    install: Install = Install()
    prepare: tuple[Words, ...] = ()
    environment: Mapping[str, str] = {}
    cannot: Mapping[str, str] = {}  # a kind of content, a method or an api that is never asked, and why
    races: Mapping[str, str] = {}  # `METHOD/kind of content` whose outcome is a race within it, and why
    caller: Caller = "library"
    starts_in: float = 30.0  # seconds until it asks for its first case, at most
    at_once: bool = True  # False: it takes the machine for itself, nothing else runs beside it
    waits: bool = False  # it hangs so often that it takes minutes, mostly of waiting: it starts first

    def race(self, case: Case) -> str:
        """Why another run may have another verdict; "" where it has the same."""
        return case.race or self.races.get(f"{case.asked.method}/{case.asked.content.kind}", "")

    def refuses(self, case: Case) -> str:
        """Why this case is not asked; "" when it is."""
        asked = case.asked
        if self.caller not in case.runs_in:
            return f"not asked of a {self.caller}"
        reasons = (self.cannot.get(word, "") for word in (asked.content.kind, asked.method, asked.api))
        return next((reason for reason in reasons if reason), "")


def filled_words(words: Words, places: Mapping[str, str]) -> list[str]:
    """`words` with their placeholders replaced."""
    return [_filled(word, places) for word in words]


def _filled(word: str, places: Mapping[str, str]) -> str:
    for name, place in places.items():
        word = word.replace(f"{{{name}}}", place)
    return word


def environment(client: Client, places: Mapping[str, str], plain: Mapping[str, str]) -> dict[str, str]:
    """What its program finds in its environment. `plain` is the user's; its proxies stay behind."""
    kept = {name: value for name, value in plain.items() if not name.lower().endswith("_proxy")}
    own = {name: _filled(value, places) for name, value in client.environment.items()}
    return {**kept, **{name: _filled(value, places) for name, value in TRUST.items()}, **own}


# How clients are told of an authority; what reads none of these is told by its row or its program.
TRUST = {
    "DETOUR_LAB_CA": "{ca}",
    "SSL_CERT_FILE": "{ca}",  # OpenSSL, Go, Python's ssl, httpx
    "CURL_CA_BUNDLE": "{ca}",
    "REQUESTS_CA_BUNDLE": "{ca}",
    "NODE_EXTRA_CA_CERTS": "{ca}",
}


def peers_folder() -> Path:
    """Where what is not Debian's is: `$DETOUR_LAB_PEERS`, or the user's cache."""
    told = os.environ.get("DETOUR_LAB_PEERS")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(told).absolute() if told else Path(cache) / "detour" / "lab"


def python_folder(client: Client) -> Path:
    """The client's own environment of Python. No two share one: niquests, for one, replaces urllib3."""
    return peers_folder() / "python" / re.sub(r"\W+", "-", client.name)


def its_python(client: Client) -> str:
    """The Python of that environment if it is there, else the one that runs Detour."""
    own = python_folder(client) / "bin" / "python"
    return str(own) if own.exists() else sys.executable
