"""Every dialect that rules are read from, one row each. To add one: a file with its reader, and a row here.

A reader restates each line in native syntax (`Draft`), in the order in which the first match answers,
whatever order the program itself goes by. What has no redirect meaning is passed over; what has one and
cannot be expressed is a `LineFault`, never dropped; what answers without redirecting is a `pass` Draft, so
that it hides what stands behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatch
from posixpath import basename

import msgspec

from detour.formats import (
    alb,
    apache,
    cloudflare_bulk,
    cloudflare_pages,
    cloudflare_rules,
    csv_file,
    gateway_api,
    haproxy,
    ingress,
    ipfs,
    istio,
    netlify,
    netlify_toml,
    nginx,
    vercel,
    vercel_bulk,
)
from detour.formats.draft import Draft, LineFault


class Files(msgspec.Struct, frozen=True):
    """A configuration: the file that is read, and the texts of what it includes, by path.

    Paths are those that the loader found: absolute ones, or relative to the folder of `entry`.
    """

    entry: str
    texts: Mapping[str, str]

    @property
    def text(self) -> str:
        return self.texts[self.entry]


Reader = Callable[[Files], Iterator[Draft | LineFault]]


def _nothing(text: str) -> Iterable[str]:
    return ()


class Dialect(msgspec.Struct, frozen=True):
    """A format that rules are read from."""

    name: str  # as on the command line and in `dialect = "…"`
    title: str  # as people say it
    read: Reader
    default_status: int  # of a line that redirects and names none
    files: tuple[str, ...] = ()  # names (globs) that files of it go by
    detect: Callable[[str], bool] | None = None  # whether a text is of this dialect; None: by name alone
    includes: Callable[[str], Iterable[str]] = _nothing  # the files, or globs, that a text names
    comment: str = "#"  # what begins a comment that ends with the line; "" where the format has none


def _of_text(read: Callable[[str], Iterator[Draft | LineFault]]) -> Reader:
    """The reader of a format without includes."""
    return lambda files: read(files.text)


DIALECTS: tuple[Dialect, ...] = (
    Dialect("netlify", "Netlify _redirects", _of_text(netlify.read), netlify.DEFAULT_STATUS, ("_redirects",)),
    Dialect(
        "cloudflare-pages",
        "Cloudflare Pages _redirects",
        _of_text(cloudflare_pages.read),
        cloudflare_pages.DEFAULT_STATUS,
    ),
    Dialect("ipfs", "IPFS gateway _redirects", _of_text(ipfs.read), ipfs.DEFAULT_STATUS),
    Dialect(
        "csv", "CSV: source,target[,status]", _of_text(csv_file.read), csv_file.DEFAULT_STATUS, ("*.csv",)
    ),
    Dialect(
        "cloudflare-bulk",
        "Cloudflare bulk redirects",
        _of_text(cloudflare_bulk.read),
        cloudflare_bulk.DEFAULT_STATUS,
    ),
    Dialect("vercel-bulk", "Vercel bulk redirects", _of_text(vercel_bulk.read), vercel_bulk.DEFAULT_STATUS),
    Dialect(
        "gateway-api",
        "Kubernetes Gateway API HTTPRoute",
        _of_text(gateway_api.read),
        gateway_api.DEFAULT_STATUS,
        detect=gateway_api.detect,
    ),
    Dialect(
        "ingress",
        "Kubernetes Ingress of ingress-nginx",
        _of_text(ingress.read),
        ingress.DEFAULT_STATUS,
        detect=ingress.detect,
    ),
    Dialect(
        "netlify-toml",
        "netlify.toml",
        _of_text(netlify_toml.read),
        netlify_toml.DEFAULT_STATUS,
        ("netlify.toml",),
        netlify_toml.detect,
    ),
    Dialect(
        "vercel",
        "vercel.json",
        _of_text(vercel.read),
        vercel.DEFAULT_STATUS,
        ("*vercel.json",),
        vercel.detect,
    ),
    Dialect(
        "cloudflare-rules",
        "Cloudflare single redirects",
        _of_text(cloudflare_rules.read),
        cloudflare_rules.DEFAULT_STATUS,
        detect=cloudflare_rules.detect,
    ),
    Dialect("istio", "Istio", _of_text(istio.read), istio.DEFAULT_STATUS, detect=istio.detect),
    Dialect("alb", "AWS ALB listener rules", _of_text(alb.read), alb.DEFAULT_STATUS, detect=alb.detect),
    Dialect(
        "haproxy",
        "HAProxy configuration",
        haproxy.read,
        haproxy.DEFAULT_STATUS,
        ("haproxy.cfg", "*.haproxy"),
        haproxy.detect,
        haproxy.includes,
    ),
    Dialect(
        "apache",
        "Apache configuration and .htaccess",
        apache.read,
        apache.DEFAULT_STATUS,
        (".htaccess", "*htaccess"),
        apache.detect,
        apache.includes,
    ),
    Dialect(
        "nginx",
        "nginx configuration",
        nginx.read,
        nginx.DEFAULT_STATUS,
        ("nginx.conf", "*.nginx", "*.nginx.conf"),
        nginx.detect,
        nginx.includes,
    ),
)

NAMES = tuple(dialect.name for dialect in DIALECTS)


def named(name: str) -> Dialect | None:
    """The dialect of that name."""
    return next((dialect for dialect in DIALECTS if dialect.name == name), None)


def detected(file: str, text: str) -> Dialect | None:
    """The dialect of a text, by its content, else by the file's name; None where neither tells."""
    by_content = (dialect for dialect in DIALECTS if dialect.detect is not None and dialect.detect(text))
    found = next(by_content, None)
    if found is not None:
        return found
    name = basename(file)
    return next((one for one in DIALECTS if any(fnmatch(name, known) for known in one.files)), None)
