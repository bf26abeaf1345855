"""Seeds one fault of a known kind into a configuration, so that what the checks find can be counted.

A mutant is a real file with a few lines more; its twin is the file as it was. What is put in depends on the
seed alone. Nothing here knows how the checks look for it: this file is older than they are.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

DATA = Path(os.environ.get("DETOUR_DATA", Path(__file__).parents[3] / "shared" / "data"))


class Line(NamedTuple):
    """A redirect, as people write one: a path (`:name` is a segment, a last `*` the rest) and a Location, in
    which `:splat` is what the `*` took."""

    source: str
    location: str
    status: int
    methods: tuple[str, ...] = ()
    until: str = ""
    query: str = ""


class Twin(NamedTuple):
    """A file without a seeded fault."""

    dialect: str
    name: str
    text: str


class Mutant(NamedTuple):
    """A file with one seeded fault, which the check of that name must find."""

    check: str
    twin: Twin
    text: str
    lines: tuple[int, ...]  # where something was put in, from 1


# --- writing a line of a dialect -----------------------------------------------------------------------


def _redirects(line: Line) -> str:
    return f"{line.source} {line.location} {line.status}"


def _csv(line: Line) -> str:
    return f"{line.source},{line.location},{line.status}"


def _nginx(line: Line) -> str:
    location = line.location.replace(":splat", "$1")
    if line.source.endswith("*"):
        stem = re.escape(line.source[:-1]).replace("\\-", "-")
        place = f"~ ^{stem}(.*)$"
    elif ":" in line.source:
        place = "~ ^" + re.sub(r":(\w+)", r"(?<\1>[^/]+)", line.source) + "$"
        location = re.sub(r"(?<=/):(\w+)", r"$\1", location)
    else:
        place = f"= {line.source}"
    return f"location {place} {{ return {line.status} {location}; }}"


def _apache(line: Line) -> str:
    location, names = line.location, re.findall(r":(\w+)", line.source)
    regex = re.sub(r":\w+", "([^/]+)", line.source)
    for number, name in enumerate(names, 1):
        location = re.sub(rf"(?<=/):{name}\b", f"${number}", location)
    if regex.endswith("*"):
        regex, location = f"{regex[:-1]}(.*)", location.replace(":splat", f"${len(names) + 1}")
    return f"RedirectMatch {line.status} ^{regex}$ {location}"


def _native(line: Line) -> str:
    location = line.location.replace(":splat", "{0}")
    location = re.sub(r"(?<=/):(\w+)", r"{\1}", location)
    lines = ["[[rule]]", 'name = "seeded-{number}"', f"pattern = {json.dumps(line.source)}"]
    lines += [f"location = {json.dumps(location)}", f"status = {line.status}"]
    lines += [f"methods = {json.dumps(list(line.methods))}"] if line.methods else []
    lines += [f"until = {line.until}"] if line.until else []
    lines += [f'query = "{line.query}"'] if line.query else []
    lines += ['cache = "60s"'] if line.status in (301, 308) else []
    return "\n".join(lines)


WRITE: dict[str, Callable[[Line], str]] = {
    "netlify": _redirects,
    "cloudflare-pages": _redirects,
    "csv": _csv,
    "nginx": _nginx,
    "apache": _apache,
    "native": _native,
}

# --- the kinds of fault ---------------------------------------------------------------------------------

Seed = Callable[[random.Random], list[Line]]
SPLAT = frozenset({"netlify", "cloudflare-pages", "nginx", "apache", "native"})
NAMED = SPLAT - {"apache"}
ALL = frozenset(WRITE)


class Kind(NamedTuple):
    """A fault: the check that must find it, the lines that make it, and the dialects that can say it."""

    check: str
    seed: Seed
    dialects: frozenset[str]


def _word(chance: random.Random) -> str:
    return "seed" + "".join(chance.choice("bcdfghjkmnp") for _ in range(6))


def _between(chance: random.Random, *, number: int) -> list[str]:
    return [f"/{_word(chance)}" for _ in range(number)]


def _loop(chance: random.Random) -> list[Line]:
    one, other = _between(chance, number=2)
    return [Line(one, other, 302), Line(other, one, 302)]


def _long(chance: random.Random) -> list[Line]:
    stops = _between(chance, number=6)
    return [Line(one, other, 307) for one, other in pairwise(stops)]


def _shadowed(chance: random.Random) -> list[Line]:
    folder = f"/{_word(chance)}"
    return [Line(f"{folder}/*", "/elsewhere/:splat", 307), Line(f"{folder}/page", "/a-page", 307)]


def _duplicate(chance: random.Random) -> list[Line]:
    source = f"/{_word(chance)}"
    return [Line(source, "/one-place", 307), Line(source, chance.choice(["/one-place", "/another"]), 307)]


def _one(make: Callable[[str, random.Random], Line]) -> Seed:
    return lambda chance: [make(_word(chance), chance)]


KINDS: tuple[Kind, ...] = (
    Kind("redirect-loop", _loop, ALL),
    Kind("self-redirect", _one(lambda word, _: Line(f"/{word}", f"/{word}", 302)), ALL),
    Kind("long-chain", _long, ALL),
    Kind("shadowed-rule", _shadowed, SPLAT - {"nginx"}),  # nginx takes `=` first
    Kind("duplicate-rule", _duplicate, ALL - {"nginx"}),  # nginx refuses the file
    Kind(
        "method-loss",
        _one(lambda word, chance: Line(f"/api/{word}", f"/api/v2/{word}", chance.choice([301, 302]))),
        ALL - {"native"},
    ),
    Kind(
        "method-loss",
        _one(lambda word, _: Line(f"/{word}", f"/to/{word}", 302, methods=("GET", "POST"))),
        frozenset({"native"}),
    ),
    Kind(
        "scheme-downgrade",
        _one(lambda word, _: Line(f"/{word}", f"http://www.example.com/{word}", 307)),
        ALL,
    ),
    Kind(
        "open-location",
        _one(lambda word, _: Line(f"/{word}/*", "https://:splat", 307)),
        SPLAT - {"native"},
    ),
    Kind(
        "unused-capture",
        _one(lambda word, _: Line(f"/{word}/:year/:slug", f"/to-{word}/:slug", 307)),
        SPLAT,
    ),
    Kind(
        "acme-redirect",
        _one(lambda word, _: Line("/.well-known/*", f"https://{word}.example.com/", 307)),
        SPLAT,
    ),
    Kind(
        "health-redirect",
        _one(lambda word, chance: Line(chance.choice(["/healthz", "/readyz", "/livez"]), f"/{word}", 307)),
        ALL,
    ),
    Kind(
        "credential-307",
        _one(lambda word, _: Line("/login", f"https://{word}.example.net/login", 307)),
        ALL,
    ),
    Kind(
        "encoded-slash-location",
        _one(lambda word, _: Line(f"/{word}", f"/files/a%2Fb/{word}", 307)),
        ALL,
    ),
    Kind(
        "credentials-in-location",
        _one(lambda word, _: Line(f"/{word}", "https://user:secret@files.example.com/", 307)),
        ALL - {"native"},  # its reader refuses the file
    ),
    Kind(
        "overstayed",
        _one(lambda word, _: Line(f"/{word}", f"/to/{word}", 307, until="2020-01-01T00:00:00Z")),
        frozenset({"native"}),
    ),
    Kind(
        "dropped-query",
        _one(lambda word, _: Line(f"/{word}/*", f"/to-{word}/:splat", 307, query="drop")),
        frozenset({"native", "nginx"}),
    ),
    Kind(
        "unsupported-status",
        _one(lambda word, _: Line(f"/{word}", f"/to/{word}", 305)),
        frozenset({"netlify", "cloudflare-pages", "csv", "nginx"}),
    ),
)

# --- the files --------------------------------------------------------------------------------------------

_SITE = ("gateway-api-site-_redirects", "_redirects")
_FIXTURES = ("netlify-redirect-parser", "tests", "fixtures", "redirects_file")


def twins() -> list[Twin]:
    """Files of $DETOUR_DATA, and the site's redirects restated where a dialect has no such file there."""
    site = DATA.joinpath(*_SITE).read_text()
    found = [Twin("netlify", "site", site)]
    for name in ("simple_multiple", "to_splat_no_force", "from_simple", "comment_full"):
        found.append(Twin("netlify", name, DATA.joinpath(*_FIXTURES, name).read_text()))
    rules = list(_written(site))
    found += (Twin(dialect, "site", _restated(dialect, rules)) for dialect in WRITE if dialect != "netlify")
    for path in sorted(DATA.joinpath("openstack-htaccess").glob("*/htaccess")):
        found.append(Twin("apache", path.parent.name, path.read_text()))
    return found


def _written(site: str) -> Iterator[Line]:
    for line in site.splitlines():
        words = line.split()
        if len(words) == 3 and line.startswith("/"):
            yield Line(words[0], words[1], int(words[2].rstrip("!")))


def _restated(dialect: str, rules: list[Line]) -> str:
    lines = [WRITE[dialect](rule).replace("{number}", f"base-{at}") for at, rule in enumerate(rules)]
    if dialect == "nginx":
        body = "\n".join(f"        {line}" for line in lines)
        head = (
            "events {}\nhttp {\n    server {\n        listen 443 ssl;\n        server_name www.example.com;\n"
        )
        return f"{head}{body}\n    }}\n}}\n"
    head = "source,target,status\n" if dialect == "csv" else ""
    return head + "\n".join(lines) + "\n"


def _seeded(twin: Twin, lines: list[Line]) -> tuple[str, tuple[int, ...]]:
    """The twin with these lines, ahead of what it says, and where they stand."""
    texts = [WRITE[twin.dialect](line).replace("{number}", str(at)) for at, line in enumerate(lines)]
    before = {"csv": 1, "nginx": 5}.get(twin.dialect, 0)
    old = twin.text.splitlines()
    added = [part for text in texts for part in text.split("\n")]
    places = tuple(range(before + 1, before + 1 + len(added)))
    return "\n".join([*old[:before], *added, *old[before:]]) + "\n", places


def mutants(number: int = 100, seed: int = 307) -> Iterator[Mutant]:
    """So many mutants: every kind in every dialect that can say it in turn, over its files."""
    chance = random.Random(seed)
    by_dialect: dict[str, list[Twin]] = {}
    for twin in twins():
        by_dialect.setdefault(twin.dialect, []).append(twin)
    pairs = [(kind, dialect) for kind in KINDS for dialect in sorted(kind.dialects)]
    chance.shuffle(pairs)
    for at in range(number):
        kind, dialect = pairs[at % len(pairs)]
        twin = chance.choice(by_dialect[dialect])
        text, places = _seeded(twin, kind.seed(chance))
        yield Mutant(kind.check, twin, text, places)
