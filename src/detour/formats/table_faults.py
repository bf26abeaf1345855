"""What may be wrong with a table of a rule file beyond the types of its keys."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from ipaddress import IPv6Network, ip_address, ip_network

from detour.core.message import METHODS, is_token
from detour.core.settings import ListenerSettings, listener_faults
from detour.core.status import PASS_STATUSES, REDIRECT_STATUSES
from detour.core.url import DEFAULT_PORTS, URL
from detour.errors import KeyFault, URLError
from detour.formats.conversion import TableFaults
from detour.formats.tables import (
    ConditionTable,
    CorsTable,
    DefaultsTable,
    ExpectTable,
    RuleTable,
    ShareTable,
)

_IMPORT_ONLY = ("dialect", "hosts", "on_fault")
_REDIRECT_ONLY = ("cache", "cors", "location_hosts", "query", "retry_after")

# Fields that Detour sends itself, and those that are the connection's (RFC 9110 §7.6.1).
_OURS = re.compile(
    r"location|cache-control|vary|date|connection|content-.*|transfer-encoding|allow|access-control-.*"
    r"|x-redirect-by|upgrade|keep-alive|trailer|te|proxy-.*",
    re.IGNORECASE,
)
_PLAIN_HOST = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]")


def rule_faults(table: RuleTable, default: DefaultsTable, written: Collection[str]) -> Iterator[KeyFault]:
    """What is wrong with a rule, pattern and template aside; `written` are the keys it has."""
    yield from _kind_faults(table)
    yield from _misplaced(table, written)
    if table.start and table.end and table.start >= table.end:
        fact = "`until` is not after `from`: the rule never answers"
        yield KeyFault(("until", "from"), fact, "swap or correct them")
    yield from _status_faults(table, default)
    if table.methods is not None:
        yield from _method_faults(table.methods)
    if isinstance(table.share, float) and not 0 < table.share < 1:
        remedy = "a part is between 0 and 1; drop it for all clients"
        yield KeyFault(("share",), f"a share of {table.share:g}", remedy)
    yield from _field_faults(table.headers or {})
    inherited = default.headers if table.location is not None else {}
    headers = inherited if table.headers is None else table.headers
    if table.retry_after is not None and any(name.lower() == "retry-after" for name in headers):
        fact = "Retry-After twice: by `headers` and by `retry_after`"
        yield KeyFault(("headers", "retry_after"), fact, "drop one of the two")
    yield from _host_faults("location_hosts", table.location_hosts or ())
    yield from _host_faults("hosts", table.hosts)


def _kind_faults(table: RuleTable) -> Iterator[KeyFault]:
    """Exactly one of `location`, `pass`, `import`; and what goes with each."""
    kinds = {"location": table.location is not None, "pass": table.pass_, "import": table.import_ is not None}
    chosen = [key for key, is_set in kinds.items() if is_set]
    if len(chosen) != 1:
        fact = f"a rule with {' and '.join(chosen) or 'no location'}"
        yield KeyFault(tuple(kinds), fact, "write one of `location`, `pass = true`, `import`")
    if table.import_ is None:
        if table.pattern is None:
            remedy = 'say what the rule matches: pattern = "/old/*"'
            yield KeyFault(("pattern", "import"), "`pattern` is missing", remedy)
        return
    if not table.import_:
        yield KeyFault(("import",), "`import` names no file", "write its path, relative to this file")
    if table.pattern is not None:
        remedy = "its lines have their own; drop `pattern`"
        yield KeyFault(("pattern",), "an import with a pattern", remedy)
    if table.dialect is None:
        remedy = 'say which format: dialect = "netlify"'
        yield KeyFault(("import", "dialect"), "`dialect` is missing", remedy)


def _misplaced(table: RuleTable, written: Collection[str]) -> Iterator[KeyFault]:
    """Keys that would silently mean nothing here."""
    for key in _IMPORT_ONLY if table.import_ is None else ():
        if key in written:
            yield KeyFault((key, "import"), f"`{key}` is for imports", "drop it, or `import` a file")
    for key in _REDIRECT_ONLY if table.pass_ else ():
        if key in written:
            fact = f"`{key}` on a `pass` rule, which redirects nothing"
            yield KeyFault((key, "pass"), fact, "drop it, or give a location")


def _status_faults(table: RuleTable, default: DefaultsTable) -> Iterator[KeyFault]:
    status = table.status
    if table.pass_:
        if status is not None and status not in PASS_STATUSES:
            fact = f"a `pass` rule with status {status}"
            yield KeyFault(("status", "pass"), fact, "write 404, 410 or 451; or give a location")
    elif status is not None and status not in REDIRECT_STATUSES:
        remedy = "write 301, 302, 303, 307 or 308; or `pass = true`"
        yield KeyFault(("status", "pass"), f"status {status} does not redirect", remedy)
    elif table.import_ is None:
        code = default.status if status is None else status
        cache = default.cache if table.cache is None else table.cache
        if REDIRECT_STATUSES[code].permanent and cache is None:
            fact = f"a {code} without `cache`: browsers may keep it for ever"
            remedy = 'state how long it may be kept: cache = "7d" (or use 307)'
            yield KeyFault(("status", "cache", "pass", "import"), fact, remedy)


def _method_faults(methods: Iterable[str]) -> Iterator[KeyFault]:
    if not methods:
        fact = "`methods` is empty: the rule never answers"
        yield KeyFault(("methods",), fact, "drop it for every method")
    for method in methods:
        if method not in METHODS:
            yield KeyFault(("methods",), *_unknown_method(method))


def _unknown_method(method: str) -> tuple[str, str]:
    if method == "CONNECT":
        return "CONNECT has no target URI to redirect", "drop it"
    fact = f"the server does not know the method `{method}`"
    if method.upper() in METHODS:
        return fact, f"write `{method.upper()}`: methods are case-sensitive"
    return fact, "see `detour explain methods`"


def _field_faults(headers: Mapping[str, str]) -> Iterator[KeyFault]:
    for name, value in headers.items():
        if _OURS.fullmatch(name):
            cors = name.lower().startswith("access-control-")
            remedy = "say it with `cors`" if cors else "the server says that itself"
            yield KeyFault(("headers",), f"`headers` may not set {name}", remedy)
        elif not is_token(name):
            yield KeyFault(("headers",), f"{name!r} is not a field name", "letters, digits and hyphens")
        elif not (value.isascii() and value.isprintable()):
            yield KeyFault(
                ("headers",), f"the value of {name} is not printable ASCII", "encode or shorten it"
            )


def _host_faults(key: str, hosts: Iterable[str]) -> Iterator[KeyFault]:
    for host in hosts:
        if plain_host(host) is None:
            remedy = 'write a name or an address, with a port if need be: "www.example.com"'
            yield KeyFault((key,), f"{host!r} is not a host", remedy)


def plain_host(text: str) -> str | None:
    """`host` or `host:port` as URLs have it, a default port left out; None for anything else."""
    try:
        url = URL.parse(f"http://{text}/")
    except URLError:
        return None
    if not text.isprintable() or re.search(r"[\s/\\?#@]", text) or not _PLAIN_HOST.fullmatch(url.hostname):
        return None
    return url.hostname if url.port in DEFAULT_PORTS.values() else url.authority


def _defaults_faults(table: DefaultsTable) -> Iterator[KeyFault]:
    yield from _field_faults(table.headers)
    yield from _host_faults("location_hosts", table.location_hosts)


def _condition_faults(table: ConditionTable) -> Iterator[KeyFault]:
    fields = {"header": table.header, "query": table.query, "cookie": table.cookie}
    if not any(fields.values()) and table.client is None:
        fact = "a condition on nothing"
        yield KeyFault((*fields, "client"), fact, 'write one, as in header = { X-Beta = "1" }')
    for key, wanted in fields.items():
        for name, values in wanted.items():
            if values == ():
                fact = f"`{name}` has no value that counts: the condition never holds"
                yield KeyFault((key,), fact, "list values, or write `true` for any")
            if key != "query" and not is_token(name):
                yield KeyFault((key,), f"{name!r} is no {key} name", "letters, digits and hyphens")
    if table.client == ():
        fact = "no network: the condition never holds"
        yield KeyFault(("client",), fact, 'list some: client = ["10.0.0.0/8"]')
    for text in table.client or ():
        yield from _network_faults(text)


def _network_faults(text: str) -> Iterator[KeyFault]:
    try:
        network = ip_network(text)
    except ValueError as error:
        yield KeyFault(("client",), str(error), 'write "10.0.0.0/8" or an address')
        return
    inside = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if inside is not None and network.prefixlen >= 96:
        fact = f"{text!r} is an IPv4 network in IPv6 spelling"
        yield KeyFault(("client",), fact, f'write "{inside}/{network.prefixlen - 96}"')


def _share_faults(table: ShareTable) -> Iterator[KeyFault]:
    if not is_token(table.cookie):
        yield KeyFault(("cookie",), f"{table.cookie!r} is no cookie name", "letters, digits and hyphens")


def _cors_faults(table: CorsTable) -> Iterator[KeyFault]:
    if table.credentials and table.origins is None:
        remedy = 'list the origins: origins = ["https://…"]'
        yield KeyFault(("credentials", "origins"), "credentials with any origin", remedy)
    if table.origins == ():
        yield KeyFault(("origins",), "no origin is let in", "list some, or drop `origins` for any")
    for origin in table.origins or ():
        instead = _origin_remedy(origin)
        if instead is not None:
            yield KeyFault(("origins",), f"{origin!r} is not an origin as browsers send it", instead)
    for key, names in (("headers", table.headers), ("expose", table.expose)):
        for name in names:
            if not is_token(name):
                yield KeyFault((key,), f"{name!r} is not a field name", "letters, digits and hyphens")


def _origin_remedy(text: str) -> str | None:
    """What to write instead; None for a serialized origin (RFC 6454 §6.2), which is compared as text."""
    if "*" in text:
        return "list each origin, or drop `origins` for any"
    try:
        origin = URL.parse(text).origin
    except URLError:
        return 'write "https://app.example.com"'
    return None if origin == text else f'write "{origin}"'


def _expect_faults(table: ExpectTable) -> Iterator[KeyFault]:
    yield from _request_faults(table.request)
    if table.client:
        try:
            ip_address(table.client)
        except ValueError:
            yield KeyFault(("client",), f"{table.client!r} is no address", 'write "192.0.2.1"')
    for name in table.headers:
        if not is_token(name):
            yield KeyFault(("headers",), f"{name!r} is not a field name", "letters, digits and hyphens")
    if table.none and table.location is not None:
        fact = "`location` says where the redirect leads, `none` that there is none"
        yield KeyFault(("location", "none"), fact, "drop one of the two")
    if not table.none and table.location is None and table.status is None:
        remedy = "give `location`, `status`, or `none = true`"
        yield KeyFault(("location", "none", "status"), "an expect that expects nothing", remedy)


def _request_faults(text: str) -> Iterator[KeyFault]:
    method, space, url = text.partition(" ")
    if not space:
        yield KeyFault(
            ("request",), f"{text!r} is not a method and a URL", 'write "GET https://example.com/old"'
        )
        return
    if method not in METHODS:
        yield KeyFault(("request",), *_unknown_method(method))
    try:
        URL.parse(url)
    except URLError as error:
        yield KeyFault(("request",), error.fact, error.remedy)


# Of every table but [[rule]] itself, which depends on [defaults].
TABLE_FAULTS: TableFaults = {
    DefaultsTable: _defaults_faults,
    ListenerSettings: listener_faults,
    ConditionTable: _condition_faults,
    ShareTable: _share_faults,
    CorsTable: _cors_faults,
    ExpectTable: _expect_faults,
}
