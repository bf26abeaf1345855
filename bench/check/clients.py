"""The rows: how each client is told to follow a list of URLs, 64 at once, and how many it says arrived."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import msgspec

from bench.process import Absent
from bench.programs import program, says

HERE = Path(__file__).parent

Argv = Callable[[Path, int], tuple[str, ...]]  # the list of URLs, how many at once


class Client(msgspec.Struct, frozen=True):
    """A row of the table. `arrived` reads from its output how many URLs ended in 200."""

    name: str
    version: Callable[[], str]
    argv: Argv
    arrived: Callable[[str], int]
    note: str = ""


def detour(listed: Path, at_once: int) -> tuple[str, ...]:
    """One host, so what one host may have is raised to all."""
    limits = ("--at-once", str(at_once), "--per-host", str(at_once))
    return (program("detour"), "check", str(listed), *limits, "--json")


def detour_arrived(output: str) -> int:
    """`passed` of the summary."""
    return int(json.loads(output)["summary"]["passed"])


def lychee(listed: Path, at_once: int) -> tuple[str, ...]:
    """Its own limits for one host lifted, GET like the others, no attempts after a failure."""
    limits = ("--max-concurrency", str(at_once), "--host-concurrency", str(at_once))
    manner = ("--host-request-interval", "0ms", "--max-retries", "0", "--method", "get")
    return (program("lychee"), *limits, *manner, "--no-progress", "--format", "json", str(listed))


def lychee_arrived(output: str) -> int:
    """`successful` of its statistics."""
    return int(json.loads(output)["successful"])


def curl(listed: Path, at_once: int) -> tuple[str, ...]:
    """A configuration file beside the list; contents are thrown away, a status a line is printed."""
    config = listed.with_suffix(".curl")
    if not config.exists():
        lines = (f'url = "{url}"\noutput = "/dev/null"\n' for url in listed.read_text().split())
        config.write_text("".join(lines))
    manner = ("--silent", "--location", "--write-out", r"%{http_code}\n")
    return (program("curl"), *manner, "--parallel", "--parallel-max", str(at_once), "--config", str(config))


def curl_arrived(output: str) -> int:
    """Lines that say 200."""
    return output.split().count("200")


def _python(module: str) -> Argv:
    return lambda listed, at_once: (sys.executable, "-m", f"bench.check.{module}", str(listed), str(at_once))


def _counted(output: str) -> int:
    found = re.search(r"^(\d+) arrived$", output, re.MULTILINE)
    if found is None:
        raise Absent("it did not say how many arrived")
    return int(found[1])


CLIENTS = (
    Client(
        "detour", lambda: f"detour-http {version('detour-http')}", detour, detour_arrived, "all checks on"
    ),
    Client("lychee", says("lychee", "--version"), lychee, lychee_arrived, "Rust, several threads"),
    Client("aiohttp", lambda: f"aiohttp {version('aiohttp')}", _python("aiohttp_loop"), _counted),
    Client(
        "pycurl",
        lambda: f"pycurl {version('pycurl')}",
        _python("bare_pycurl"),
        _counted,
        "follows nothing itself",
    ),
    Client("curl", says("curl", "--version"), curl, curl_arrived, "--parallel"),
)
