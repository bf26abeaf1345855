"""Every dialect that rules are read from, one row each. To add one: a file with its reader, and a row here.

A reader restates each line in native syntax (`Draft`), in the order in which the first match answers,
whatever order the program itself goes by. What has no redirect meaning is passed over; what has one and
cannot be expressed is a `LineFault`, never dropped; what answers without redirecting is a `pass` Draft, so
that it hides what stands behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatch
from functools import cache
from importlib import import_module
from posixpath import basename
from types import ModuleType

import msgspec

from detour.formats.draft import Draft, LineFault

_HEAD = 1 << 16  # characters that tell a dialect in nearly every file


class Files(msgspec.Struct, frozen=True):
    """A configuration: the file that is read, and the texts of what it includes, by path.

    Paths are those that the loader found: absolute ones, or relative to the folder of `entry`.
    """

    entry: str
    texts: Mapping[str, str]

    @property
    def text(self) -> str:
        return self.texts[self.entry]


@cache
def _module(room: str) -> ModuleType:
    return import_module(f"detour.formats.{room}")


class Dialect(msgspec.Struct, frozen=True):
    """A format that rules are read from. Its module is loaded when it is asked for: all take 0.1 s."""

    name: str  # as on the command line and in `dialect = "…"`
    title: str  # as people say it
    room: str  # the module of `detour.formats` that reads it: `read`, DEFAULT_STATUS, perhaps `detect`
    files: tuple[str, ...] = ()  # names (globs) that files of it go by
    has_includes: bool = False  # whether its `read` takes `Files`, and it has `includes`
    comment: str = "#"  # what begins a comment that ends with the line; "" where the format has none

    @property
    def module(self) -> ModuleType:
        """The reader; its docstring is the dialect's page in the documentation."""
        return _module(self.room)

    @property
    def default_status(self) -> int:
        """The status of a line that redirects and names none."""
        status: int = self.module.DEFAULT_STATUS
        return status

    def read(self, files: Files) -> Iterator[Draft | LineFault]:
        """Each rule, in the order in which the first match answers."""
        rules: Iterator[Draft | LineFault] = self.module.read(files if self.has_includes else files.text)
        return rules

    def detect(self, text: str) -> bool:
        """Whether a text is certainly of this dialect; never, where only a file's name can tell."""
        return hasattr(self.module, "detect") and bool(self.module.detect(text))

    def includes(self, text: str) -> Iterable[str]:
        """The files, or globs, that a text names."""
        names: Iterable[str] = self.module.includes(text) if self.has_includes else ()
        return names


DIALECTS: tuple[Dialect, ...] = (
    Dialect("netlify", "Netlify _redirects", "netlify", ("_redirects",)),
    Dialect("cloudflare-pages", "Cloudflare Pages _redirects", "cloudflare_pages"),
    Dialect("ipfs", "IPFS gateway _redirects", "ipfs"),
    Dialect("csv", "CSV: source,target[,status]", "csv_file", ("*.csv",)),
    Dialect("cloudflare-bulk", "Cloudflare bulk redirects", "cloudflare_bulk"),
    Dialect("vercel-bulk", "Vercel bulk redirects", "vercel_bulk"),
    Dialect("gateway-api", "Kubernetes Gateway API HTTPRoute", "gateway_api"),
    Dialect("ingress", "Kubernetes Ingress of ingress-nginx", "ingress"),
    Dialect("netlify-toml", "netlify.toml", "netlify_toml", ("netlify.toml",)),
    Dialect("vercel", "vercel.json", "vercel", ("*vercel.json",), comment=""),
    Dialect("cloudflare-rules", "Cloudflare single redirects", "cloudflare_rules", comment=""),
    Dialect("istio", "Istio", "istio"),
    Dialect("alb", "AWS ALB listener rules", "alb"),
    Dialect("caddy", "Caddyfile and Caddy JSON", "caddy", ("Caddyfile", "*.caddyfile"), True),
    Dialect("envoy", "Envoy", "envoy"),
    Dialect("traefik", "Traefik", "traefik"),
    Dialect("haproxy", "HAProxy configuration", "haproxy", ("haproxy.cfg", "*.haproxy"), True),
    Dialect("apache", "Apache configuration and .htaccess", "apache", (".htaccess", "*htaccess"), True),
    Dialect("nginx", "nginx configuration", "nginx", ("nginx.conf", "*.nginx", "*.nginx.conf"), True),
)

NAMES = tuple(dialect.name for dialect in DIALECTS)


def named(name: str) -> Dialect | None:
    """The dialect of that name."""
    return next((dialect for dialect in DIALECTS if dialect.name == name), None)


def detected(file: str, text: str) -> Dialect | None:
    """The dialect of a text, by how it begins, else by the file's name, else by all of it; None where none of
    these tells."""
    whole = len(text) <= _HEAD
    head = text if whole else text[:_HEAD].rpartition("\n")[0] or text[:_HEAD]
    name = basename(file)
    found = _told_by(head)
    found = found or next((one for one in DIALECTS if any(fnmatch(name, known) for known in one.files)), None)
    return found if found or whole else _told_by(text)


def _told_by(text: str) -> Dialect | None:
    return next((dialect for dialect in DIALECTS if dialect.detect(text)), None)
