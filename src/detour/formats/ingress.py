"""Kubernetes Ingress with the annotations of ingress-nginx.

Read (kubernetes/ingress-nginx, internal/ingress/annotations and rootfs/etc/nginx; `networking.k8s.io/v1`):

- `temporal-redirect` (default 302) before `permanent-redirect` (default 301), with `-code` (300 to 308;
  anything else means the default). nginx's `return` sends the URL as written: neither path nor query
  is appended, unless it names `$request_uri`, `$uri`, `$host` or `$args`. It answers http, too, before any
  redirect to https: that one is Lua's (nginx.tmpl, `rewrite_by_lua_file`), which runs after nginx's own
  rewriting.
- `ssl-redirect` (true unless said otherwise) where the host has a certificate, and `force-ssl-redirect`: a
  redirect of http to the same URL over https, without its port, and without a slash at its end unless
  `preserve-trailing-slash` is "true". Nobody wrote it where no annotation says so. Paths that begin
  `/.well-known/acme-challenge` are left alone.
- A host has a certificate, if only the default one, as soon as any Ingress with a rule for it has a `tls`
  section, or one with a rule for the wildcard above it (controller.go, createServers; certificate.lua):
  the paths that other Ingresses add to the host are redirected, too.
- `from-to-www-redirect`: the other of `example.com` and `www.example.com`, where no Ingress has it.
- `app-root`: `/` of the host, with 302. `server-alias`: further hosts.
- `http-redirect-code` (308), `ssl-redirect` and `force-ssl-redirect` of a ConfigMap in the same file.
- Order: the host named most exactly; its `app-root`; `Exact` paths, then the longest prefix. `Prefix` goes
  by segments, `ImplementationSpecific` by characters. With `use-regex` or `rewrite-target` anywhere on
  a host all its paths are expressions without case, the longest first.
- A path that is forwarded is a `pass`, where it hides a redirect.

Not read: snippets of nginx's configuration and other controllers' annotations that redirect (each is
named), `use-port-in-redirects`, certificates (a `server-alias` has one where `tls` lists it).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

from detour.core.status import REDIRECT_STATUSES
from detour.errors import NodeError, PatternError, TemplateError
from detour.formats.bulk_rows import restated
from detour.formats.draft import Draft, LineFault
from detour.formats.kubernetes import Resource, detects, of_dialect
from detour.formats.redirects_file import PartError
from detour.formats.routes import (
    Line,
    beginning,
    everywhere,
    exactly,
    fixed_path,
    host_rank,
    origin,
    under,
    whole_path,
    without_idle_passes,
)
from detour.formats.yaml_nodes import fault

DEFAULT_STATUS = 302

_PREFIX = "nginx.ingress.kubernetes.io/"
_KINDS = (("networking.k8s.io", "Ingress"), ("extensions", "Ingress"), ("", "ConfigMap"))
_ACME = "/.well-known/acme-challenge"  # no-tls-redirect-locations, as ingress-nginx sets it
_REDIRECTING = re.compile(r"\b(?:return\s+30[12378]|rewrite|error_page)\b")
_IMPLICIT = "ssl-redirect is on unless an annotation says otherwise"
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_SLOTS = {
    "request_uri": "{url.path}",
    "uri": "{url.path}",
    "document_uri": "{url.path}",
    "host": "{url.hostname}",
    "args": "{url.query}",
    "query_string": "{url.query}",
    "is_args": "",
}
_TRUE = "true"


class _Settings(msgspec.Struct, frozen=True):
    """What a ConfigMap of the controller says, and which hosts have a certificate."""

    code: int = 308
    ssl: bool = True
    force: bool = False
    certified: frozenset[str] = frozenset()


class _Place(msgspec.Struct, frozen=True, eq=False):
    """One path of one host, and the Ingress it stands in."""

    ingress: Resource
    host: str
    path: str
    kind: str
    line: int
    alias: bool = False  # the host is one of `server-alias`

    def said(self, name: str) -> str:
        """What an annotation of ingress-nginx says; "" where it is not there."""
        node = self.ingress.annotations.get(_PREFIX + name)
        return "" if node is None else node.text

    def line_of(self, name: str) -> int:
        node = self.ingress.annotations.get(_PREFIX + name)
        return self.line if node is None else node.line


def detect(text: str) -> bool:
    """Whether a text holds an Ingress."""
    return any(detects(text, group, "Ingress") for group in ("networking.k8s.io", "extensions"))


def read(text: str) -> Iterator[Draft | LineFault]:
    """Each host's redirects, restated, in the order in which the first that fits answers."""
    settings = _Settings()
    places: list[_Place] = []
    for one in of_dialect(text, "ingress", *_KINDS):
        if isinstance(one, LineFault):
            yield one
            continue
        try:
            if one.kind == "ConfigMap":
                settings = _configured(one, settings)
            else:
                yield from _unread(one)
                places += _places(one)
        except NodeError as error:
            yield fault(error)
    settings = msgspec.structs.replace(settings, certified=frozenset(_certified(places)))
    hosts = sorted(dict.fromkeys(place.host for place in places), key=host_rank)
    of_host = {host: [place for place in places if place.host == host] for host in hosts}
    exact = [host for host in hosts if host and not host.startswith("*")]
    lines: list[Line] = []
    for host in exact:
        lines += _server(host, of_host[host], settings)
    for host in exact:
        lines += _from_to_www(host, of_host[host], hosts, settings)
    for host in hosts[len(exact) :]:
        lines += _server(host, of_host[host], settings)
    yield from without_idle_passes(lines)


def _configured(resource: Resource, settings: _Settings) -> _Settings:
    data = resource.get("data")
    if data is None:
        return settings
    code = data.integer_at("http-redirect-code")
    ssl, force = data.text_at("ssl-redirect"), data.text_at("force-ssl-redirect")
    return _Settings(
        code if code in (301, 302, 307, 308) else settings.code,
        settings.ssl if ssl is None else ssl == _TRUE,
        settings.force if force is None else force == _TRUE,
    )


def _unread(ingress: Resource) -> Iterator[LineFault]:
    """What of an Ingress may redirect and is not read."""
    for key, node in ingress.annotations.items():
        if key.startswith(_PREFIX):
            if key.endswith("-snippet") and _REDIRECTING.search(node.text):
                name = key.removeprefix(_PREFIX)
                yield LineFault(node.line, f"{name} holds nginx's own directives", "say it in annotations")
        elif "redirect" in key:
            yield LineFault(
                node.line, f"{key} is another controller's", "read that controller's configuration"
            )


def _places(ingress: Resource) -> Iterator[_Place]:
    spec = ingress.get("spec")
    if spec is None:
        return
    aliases = ingress.annotations.get(_PREFIX + "server-alias")
    others = tuple(filter(None, re.split(r"[\s,]+", aliases.text))) if aliases is not None else ()
    if spec.get("defaultBackend") is not None or spec.get("backend") is not None:
        yield _Place(ingress, "", "/", "Prefix", spec.line)
    for rule in spec.list_at("rules"):
        http = rule.get("http")
        for host in (rule.text_at("host") or "", *others):
            for path in http.list_at("paths") if http is not None else ():
                kind = path.text_at("pathType") or "ImplementationSpecific"
                yield _Place(ingress, host, path.text_at("path") or "/", kind, path.line, host in others)


# ---- a host


def _server(host: str, places: list[_Place], settings: _Settings) -> Iterator[Line]:
    for place in places:
        if root := place.said("app-root"):
            yield _app_root(place, root)
            break
    regex = any(place.said("use-regex") == _TRUE or place.said("rewrite-target") for place in places)
    for place in sorted(places, key=lambda one: (one.kind != "Exact" or regex, -len(one.path))):
        pattern = None
        try:
            for path, ignore_case in _patterns(place, regex):
                pattern = origin(host) + path
                yield from _location(place, path, ignore_case, settings)
        except NodeError as error:
            yield fault(error, pattern)
        except PartError as refusal:
            yield LineFault(_redirect_line(place), refusal.fact, refusal.remedy, pattern)
    if host:
        yield Draft(places[0].line, everywhere(origin(host)))


def _app_root(place: _Place, root: str) -> Line:
    line = place.line_of("app-root")
    pattern = f"{origin(place.host)}/"
    try:
        return Draft(line, pattern, fixed_path(root), 302, query="drop")
    except PartError as refusal:
        return LineFault(line, refusal.fact, refusal.remedy, pattern)


def _patterns(place: _Place, regex: bool) -> Iterator[tuple[str, bool]]:
    """The patterns of a path, and whether case is of no account; raises `PatternError`."""
    if not place.path.startswith("/"):
        raise PatternError(f"the path {place.path!r} does not begin with a slash", f"write `/{place.path}`")
    if regex and re.search(r"[\\^$.|?*+()\[\]{}]", place.path):
        stem, end, rest = place.path.partition("(/|$)")  # as in ingress-nginx's own example of rewriting
        if end and rest in ("", "(.*)", ".*"):
            yield whole_path(stem), True
        path = f"{stem}/{rest}" if end else stem
        yield whole_path(path if path.endswith("$") else path + ".*"), True
    elif regex:
        yield beginning(place.path)[0][0], True
    elif place.kind == "Exact":
        yield exactly(place.path), False
    else:
        found = under(place.path) if place.kind == "Prefix" else beginning(place.path)
        yield from ((path, False) for path, _ in found)


def _redirect_line(place: _Place) -> int:
    for name in ("temporal-redirect", "permanent-redirect"):
        if place.said(name):
            return place.line_of(name)
    return place.line


def _location(place: _Place, path: str, ignore_case: bool, settings: _Settings) -> Iterator[Draft]:
    """What requests for one path get."""
    for name, default in (("temporal-redirect", 302), ("permanent-redirect", 301)):
        if url := place.said(name):
            location, query = _written(url)
            status = _code(place, f"{name}-code", default)
            pattern = origin(place.host) + path
            yield Draft(place.line_of(name), pattern, location, status, query=query, ignore_case=ignore_case)
            return
    yield from _to_https(place, path, ignore_case, settings)
    yield Draft(place.line, origin(place.host) + path, ignore_case=ignore_case)


def _code(place: _Place, name: str, default: int) -> int:
    said = place.said(name)
    code = int(said) if re.fullmatch(r"[0-9]{1,9}", said) else 0
    code = code if 300 <= code <= 308 else default
    if code not in REDIRECT_STATUSES:
        raise NodeError(place.line_of(name), f"{code} redirects nobody", "use 301, 302, 303, 307 or 308")
    return code


def _written(url: str) -> tuple[str, Literal["keep", "drop"]]:
    """A URL with nginx's variables as a template, and whether the query follows; raises `TemplateError`."""
    if not url.startswith("http"):
        raise TemplateError(f"{url!r} is no http(s) URL: ingress-nginx refuses it", "write the whole URL")
    names = [found[1] or found[2] for found in _VARIABLE.finditer(url)]
    if unknown := [name for name in names if name not in _SLOTS]:
        raise TemplateError(f"the variable ${unknown[0]} is known to nginx alone", "write it out")
    if not names:
        return restated(url), "drop"
    written = _VARIABLE.sub(lambda found: _SLOTS[found[1] or found[2]], url)
    if "is_args" in names:
        written = written.replace("{url.query}", "?{url.query}", 1) if "?" not in written else written
    return written, "keep" if "request_uri" in names else "drop"


# ---- https, www


def _to_https(place: _Place, path: str, ignore_case: bool, settings: _Settings) -> Iterator[Draft]:
    """The redirect of http to https, where there is one."""
    forced = place.said("force-ssl-redirect")
    wanted = place.said("ssl-redirect")
    force = forced == _TRUE if forced else settings.force
    covered = wanted == _TRUE or (not wanted and settings.ssl)
    if (
        not (force or (covered and _has_certificate(place.host, settings)))
        or place.path.startswith(_ACME)
        or not _is_nginx(place)
    ):
        return
    implicit = "" if forced == _TRUE or wanted == _TRUE else _IMPLICIT
    named = "force-ssl-redirect" if forced == _TRUE else "ssl-redirect"
    yield from _slashless(
        origin(place.host, "http"),
        path,
        "https://{url.hostname}",
        settings.code,
        place.said("preserve-trailing-slash") == _TRUE,
        Draft(place.line_of(named), "", ignore_case=ignore_case, implicit=implicit),
    )


def _slashless(at: str, path: str, to: str, code: int, slash: bool, draft: Draft) -> Iterator[Draft]:
    """A redirect that changes the origin, and takes a slash off the end of the URL unless `slash`."""
    if not slash and path.endswith(":rest(.*)"):
        kept = path.removesuffix(":rest(.*)")
        stem = re.sub(r"\\(.)", r"\1", kept).replace("{", "{{").replace("}", "}}")
        yield msgspec.structs.replace(
            draft, pattern=f"{at}{kept}:rest(.+)/\\?", location=f"{to}{stem}{{rest}}", status=code
        )
        if len(stem) > 1 and stem.endswith("/"):
            yield msgspec.structs.replace(
                draft, pattern=f"{at}{kept}\\?", location=f"{to}{stem[:-1]}", status=code
            )
    yield msgspec.structs.replace(draft, pattern=at + path, location=f"{to}{{url.path}}", status=code)


def _certified(places: list[_Place]) -> Iterator[str]:
    """The hosts that have a certificate: by the `tls` of an Ingress with a rule for them."""
    for place in places:
        spec = place.ingress.get("spec")
        try:
            listed = spec.list_at("tls") if spec is not None and _is_nginx(place) else ()
            named = {host.lower() for one in listed for host in one.texts_at("hosts")}
        except NodeError:
            continue  # told where the path is restated
        if listed and (not place.alias or place.host.lower() in named):
            yield place.host.lower()


def _has_certificate(host: str, settings: _Settings) -> bool:
    """Whether the host has one, or the wildcard above it; the host of no name has none."""
    name = host.lower()
    return name != "" and bool({name, f"*.{name.partition('.')[2]}"} & settings.certified)


def _is_nginx(place: _Place) -> bool:
    """Whether the Ingress is ingress-nginx's: its class says so, or an annotation of that."""
    spec = place.ingress.get("spec")
    written = place.ingress.annotations.get("kubernetes.io/ingress.class")
    named = (spec.text_at("ingressClassName") if spec is not None else None) or (
        written.text if written is not None else ""
    )
    return "nginx" in named if named else any(key.startswith(_PREFIX) for key in place.ingress.annotations)


def _from_to_www(host: str, places: list[_Place], hosts: list[str], settings: _Settings) -> Iterator[Draft]:
    """The redirect of the host with `www.` to the one without, or the other way."""
    found = next((one for one in places if one.said("from-to-www-redirect") == _TRUE), None)
    other = host.removeprefix("www.") if host.startswith("www.") else f"www.{host}"
    if found is None or not host or host.startswith("*") or other in hosts:
        return
    line = found.line_of("from-to-www-redirect")
    to = f"//{host.lower()}"
    yield from _slashless(origin(other), "/:rest(.*)", to, settings.code, False, Draft(line, ""))
