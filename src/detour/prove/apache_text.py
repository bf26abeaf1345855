"""An Apache configuration as text, with its doors on free ports of loopback and the modules that it needs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_ALWAYS = ("mpm_event", "authz_core", "alias", "rewrite", "dir", "mime", "headers", "socache_shmcb", "ssl")

# Modules that a configuration uses, by the directives that they bring (httpd.apache.org/docs/2.4/mod/). All
# are of apache2-bin; none redirects by itself.
_NEEDED = (
    (r"Proxy\w*|RewriteRule\s.*\[(?:[^\]]*,)?\s*P\b", ("proxy", "proxy_http")),
    (r"Expires\w+", ("expires",)),
    (r"SetEnvIf\w*|BrowserMatch\w*", ("setenvif",)),
    (r"(?:Set|Unset|Pass)Env", ("env",)),
    (r"Order|Allow|Deny|Satisfy", ("authz_host", "access_compat")),
    (r"Require\s+(?:not\s+)?(?:ip|host|local|forward-dns)", ("authz_host",)),
    (r"Require\s+(?:valid-)?user", ("authn_core", "authz_user")),
    (r"AuthLDAP\w+", ("ldap", "authnz_ldap")),
    (r"AuthDigest\w+", ("auth_digest",)),
    (r"AuthDBM\w+", ("authn_dbm",)),
    (r"Auth\w+", ("authn_core", "authn_file", "auth_basic", "authz_user", "authz_groupfile")),
    (r"Index(?:Options|Ignore|Style\w*)|Add(?:Icon|Description|Alt)\w*|ReadmeName", ("autoindex",)),
    (r"(?:Force)?LanguagePriority|CacheNegotiatedDocs", ("negotiation",)),
    (r"XBitHack|SSI\w+", ("include",)),
    (r"Action|Script", ("actions",)),
    (r"Filter\w+|AddOutputFilterByType|Deflate\w+", ("filter", "deflate")),
    (r"ExtendedStatus", ("status",)),
    (r"UserDir", ("userdir",)),
    (r"Virtual(?:DocumentRoot|ScriptAlias)\w*", ("vhost_alias",)),
    (r"RemoteIP\w+", ("remoteip",)),
    (r"Substitute", ("substitute",)),
    (r"Dav\w*", ("dav", "dav_fs")),
    (r"Use\s|<Macro", ("macro",)),
)
_LISTEN = re.compile(r"(?mi)^[ \t]*Listen[ \t]+(\S+).*$")
_HOST = re.compile(r"(?mi)^(\s*<VirtualHost\s+)([^>]*)>")


def modules(text: str) -> tuple[str, ...]:
    """The modules to be loaded, each once."""
    found = list(_ALWAYS)
    for directives, names in _NEEDED:
        if re.search(rf"(?mi)^\s*(?:{directives})\b", text):
            found += names
    return tuple(dict.fromkeys(found))


def has_hosts(text: str) -> bool:
    return _HOST.search(text) is not None


def moved(text: str, ports: Callable[[int], int]) -> str:
    """Each VirtualHost at a free port of loopback, and a Listen for each of them and those written."""
    known: dict[int, bool] = {}  # ports, and whether TLS is spoken there

    def host(found: re.Match[str]) -> str:
        written = [_port(address) for address in found[2].split()] or [80]
        for port in written:
            known[port] = known.get(port, False) or port == 443
        return f"{found[1]}{' '.join(f'*:{ports(port)}' for port in dict.fromkeys(written))}>"

    hosts = _HOST.sub(host, _LISTEN.sub("", text))
    for found in _LISTEN.finditer(text):
        port = _port(f":{found[1]}" if found[1].isdecimal() else found[1])
        if port != 443:  # TLS without a VirtualHost would need a certificate of the main server's own
            known.setdefault(port, False)
    return "\n".join((*_listens(known, ports), hosts))


def _port(address: str) -> int:
    port = address.rpartition(":")[2]
    return int(port) if ":" in address and port.isdecimal() else 80


def _listens(known: dict[int, bool], ports: Callable[[int], int]) -> Iterator[str]:
    for port, tls in known.items():
        yield f"Listen 127.0.0.1:{ports(port)}{' https' if tls else ''}"
