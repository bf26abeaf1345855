"""Sites of a Caddyfile: their addresses, their order, and automatic HTTPS (caddyconfig/httpcaddyfile/
addresses.go, httptype.go; modules/caddyhttp/autohttps.go)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from detour.errors import PatternError
from detour.formats.caddy.blocks import Caddyfile, Directive, Site
from detour.formats.caddy.directives import Directives
from detour.formats.caddy.matchers import host_text, path_text
from detour.formats.caddy.model import Case, Redirect, Route, Subroute
from detour.formats.caddy.order import ORDER, changed
from detour.formats.caddy.tokens import UNKNOWN
from detour.formats.demand import Demand
from detour.formats.draft import LineFault

IMPLICIT = "Caddy's automatic HTTPS"

_ADDRESS = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<host>\[[^\]]*\]|[^:/\s]*)(?::(?P<port>[0-9]+|\*))?(?P<path>/\S*)?"
)


class Options(msgspec.Struct, frozen=True):
    """What the global options say of HTTP."""

    http_port: str = "80"
    https_port: str = "443"
    is_automatic: bool = True  # whether there is automatic HTTPS at all
    redirects: bool = True  # whether it redirects
    order: tuple[str, ...] = ORDER


class Address(msgspec.Struct, frozen=True):
    """One address of a site, as requests for it are seen."""

    scheme: str
    host: str
    port: str | None  # None: the scheme's
    path: str

    @property
    def demand(self) -> Demand:
        """What a request must be like; raises `PatternError`."""
        path = path_text(self.path) if self.path not in ("", "/*", "*") else None
        host = host_text(self.host)
        return Demand(scheme=self.scheme, host=host, port=self.port, path=path)


def options(block: tuple[Directive, ...]) -> Options:
    """The global options."""
    found = Options()
    for one in block:
        first = one.args[0] if one.args else ""
        if one.name == "http_port":
            found = msgspec.structs.replace(found, http_port=first)
        elif one.name == "https_port":
            found = msgspec.structs.replace(found, https_port=first)
        elif one.name == "auto_https":
            found = msgspec.structs.replace(
                found,
                is_automatic=found.is_automatic and "off" not in one.args,
                redirects=found.redirects and not {"off", "disable_redirects"} & set(one.args),
            )
        elif one.name == "order" and len(one.args) > 1:
            other = one.args[2] if len(one.args) > 2 else ""
            found = msgspec.structs.replace(found, order=changed(found.order, first, one.args[1], other))
    return found


def address(text: str, known: Options) -> Address:
    """An address as it is written; raises `PatternError`."""
    found = _ADDRESS.fullmatch(text)
    if found is None or UNKNOWN in text or "{" in text:
        raise PatternError(f"the address {text.replace(UNKNOWN, '{$…}')!r} is not known", "write a host")
    host, port = found["host"].lower(), found["port"] or ""
    scheme = found["scheme"] or _scheme(host, port, known)
    default = {"http": ("80", known.http_port), "https": ("443", known.https_port)}.get(scheme, ())
    return Address(scheme, host, None if port in ("", "*", *default) else port, found["path"] or "")


def _scheme(host: str, port: str, known: Options) -> str:
    if port in ("80", known.http_port):
        return "http"
    if port in ("443", known.https_port):
        return "https"
    if not known.is_automatic:
        return ""
    return "https" if host else "http" if port else "https"


def site_routes(file: Caddyfile) -> tuple[tuple[Route, ...], list[LineFault]]:
    """The routes of all sites in the order in which they are tried, and what of addresses is not known."""
    known = options(file.options)
    directives = Directives(known.order, file.routes)
    faults: list[LineFault] = []
    entries: list[tuple[tuple[int, ...], Route]] = []
    named: list[Route] = []
    for site in file.sites:
        addresses = []
        for text in site.addresses:
            try:
                found = address(text, known)
                addresses.append((found, found.demand))
            except PatternError as error:
                faults.append(LineFault(site.line, error.fact, error.remedy, file=site.file))
        routes = (*directives.refused(site.block), *directives.routes(site.block, {}))
        rank = _rank([one for one, _ in addresses])
        cases = tuple(Case(demand) for _, demand in addresses)
        if cases:
            route = Route(
                site.line, site.file, cases, (Subroute(routes),), terminal=not _is_left(cases, file)
            )
            entries.append((rank, route))
        named += _redirects(site, addresses, known)
    entries.sort(key=lambda entry: entry[0])
    hosts = [route for rank, route in entries if rank[0] == 0]
    others = [route for rank, route in entries if rank[0]]
    return (*hosts, *named, *others, *_catch_all(file.sites, known)), faults


def _is_left(cases: tuple[Case, ...], file: Caddyfile) -> bool:
    """Whether a request that a site does not answer goes on to the redirect behind it: where it is the only
    site there, for any host, its routes are the server's own (httptype.go, `appendSubrouteToRouteList`)."""
    is_open = all(case.demand == Demand(scheme="http") for case in cases)
    return is_open and not any(
        re.match(r"http://|[^/]*:80(?:/|$)", address)
        for site in file.sites
        for address in site.addresses
        if len(site.addresses) > 1 or address not in (":80", "http://", "http://:80")
    )


def _rank(addresses: list[Address]) -> tuple[int, ...]:
    """Sorts sites: the longest hosts first, those with wildcards behind, those of any host last."""
    host = max((one.host for one in addresses), key=_length, default="")
    path = max((len(one.path) for one in addresses), default=0)
    return int(_length(host) == 0), int("*" in host), -_length(host), -path


def _length(host: str) -> int:
    return len(host) - host.count("*")


def _redirects(site: Site, addresses: list[tuple[Address, Demand]], known: Options) -> Iterator[Route]:
    """The redirects to https that nobody wrote."""
    if not known.redirects:
        return
    for one, demand in addresses:
        if one.scheme != "https" or not one.host:
            continue
        port = f":{one.port}" if one.port else ""
        case = Case(Demand(scheme="http", host=demand.host))
        to = Redirect(f"https://{{host}}{port}{{uri}}", "308")
        yield Route(site.line, site.file, (case,), (to,), terminal=True, implicit=IMPLICIT)


def _catch_all(sites: tuple[Site, ...], known: Options) -> Iterator[Route]:
    """The redirect to https behind everything, for whatever host (autohttps.go: `appendCatchAll`)."""
    for site in sites:
        for text in site.addresses:
            found = _ADDRESS.fullmatch(text)
            if found is None or UNKNOWN in text or "{" in text:
                continue
            if known.redirects and address(text, known).scheme == "https":
                yield catch_all(site.line, site.file)
                return


def catch_all(line: int, file: str) -> Route:
    """The last route of the http door of a server that redirects by itself."""
    to = Redirect("https://{host}{uri}", "308")
    return Route(line, file, (Case(Demand(scheme="http")),), (to,), terminal=True, implicit=IMPLICIT)
