"""Every existing configuration at hand of a server that can be started: those of $DETOUR_DATA, of the tests,
of the examples, and those that Debian's packages bring."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from detour.prove.servers import SERVERS
from tests.formats import (
    apache_configurations,
    caddy_configurations,
    data_table,
    envoy_configurations,
    haproxy_configurations,
    nginx_configurations,
    traefik_configurations,
)
from tests.formats.dialect_data import DATA
from tests.prove import test_readers

REPOSITORY = Path(__file__).parents[2]
NAMES = tuple(server.name for server in SERVERS)


class Configuration(msgspec.Struct, frozen=True):
    """A file to be read, and to start its server with."""

    server: str  # its dialect
    name: str  # for people
    path: Path


# Files of packages: of nginx-common, apache2 and what comes with it, haproxy.
PACKAGED = (
    ("nginx", "/etc/nginx/nginx.conf"),
    ("nginx", "/etc/nginx/sites-available/*"),
    ("nginx", "/etc/nginx/snippets/*.conf"),
    ("apache", "/etc/apache2/*.conf"),
    ("apache", "/etc/apache2/sites-available/*.conf"),
    ("apache", "/etc/apache2/conf-available/*.conf"),
    ("haproxy", "/etc/haproxy/haproxy.cfg"),
    ("haproxy", "/usr/share/doc/haproxy/examples/*.cfg"),
)


def configurations(folder: Path, servers: Iterable[str] = NAMES) -> Iterator[Configuration]:
    """All of them; those that are no files yet are written below `folder`."""
    asked = frozenset(servers)
    found = (*of_tests(folder / "tests"), *of_data(folder / "data"), *of_examples(), *of_packages())
    return (one for one in found if one.server in asked)


def of_data(folder: Path) -> Iterator[Configuration]:
    """Of $DETOUR_DATA; marks that a framework fills in are filled in as for the table of the data folder."""
    for name in data_table.files():
        known = data_table.source(name)
        if known is None or known.dialect not in NAMES:
            continue
        place = folder / name.replace("/", "+")
        place.mkdir(parents=True)
        yield Configuration(known.dialect, name, data_table.prepared(name, place))
    table = DATA / "caddy" / "redir_syntax.json"
    rows = json.loads(table.read_text()) if table.exists() else []
    for number, row in enumerate(rows):
        if not row["expect_error"]:
            name = f"caddy/redir_syntax.json[{number}]"
            yield _written(folder, "caddy", name, "Caddyfile", row["caddyfile"])


def of_tests(folder: Path) -> Iterator[Configuration]:
    """Those that the tests of the readers hold, with the ports that the real programs have by default."""
    tables: tuple[tuple[str, str, Mapping[str, str]], ...] = (
        ("nginx", "nginx.conf", {name: text for name, (text, _) in _NGINX.items()}),
        ("apache", "apache.conf", apache_configurations.CONFIGURATIONS),
        ("caddy", "Caddyfile", caddy_configurations.CONFIGURATIONS),
        ("envoy", "envoy.yaml", envoy_configurations.CONFIGURATIONS),
        ("traefik", "traefik.yaml", traefik_configurations.CONFIGURATIONS),
        ("haproxy", "haproxy.cfg", haproxy_configurations.CONFIGURATIONS),
    )
    for server, file, table in tables:
        for name, text in table.items():
            named = ".htaccess" if name == "htaccess" else file
            whole = f"{haproxy_configurations.DEFAULTS}{text}" if server == "haproxy" else text
            yield _written(folder, server, f"tests/{server}/{name}", named, whole.replace("PORT", "80"))
    for server, text in (
        ("nginx", test_readers.NGINX),
        ("apache", test_readers.APACHE),
        ("haproxy", test_readers.HAPROXY),
    ):
        yield _written(folder, server, f"tests/{server}/proved", "configuration", text)


def of_examples() -> Iterator[Configuration]:
    """Those that the examples show."""
    for path in sorted((REPOSITORY / "examples").glob("*/nginx.conf")):
        yield Configuration("nginx", str(path.relative_to(REPOSITORY)), path)


def of_packages() -> Iterator[Configuration]:
    """Those of Debian's packages, where they are installed."""
    for server, glob in PACKAGED:
        for path in sorted(Path("/").glob(glob.removeprefix("/"))):
            if path.is_file():
                yield Configuration(server, str(path), path)


_NGINX = nginx_configurations.CONFIGURATIONS


def _written(folder: Path, server: str, name: str, file: str, text: str) -> Configuration:
    place = folder / name.replace("/", "+").replace(" ", "-")
    place.mkdir(parents=True)
    if server == "haproxy":
        for other, content in haproxy_configurations.MAP_FILES.items():
            (place / other).write_text(content)
        text = text.replace("{folder}", str(place))
    (place / file).write_text(text)
    return Configuration(server, name, place / file)
