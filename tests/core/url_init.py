"""URLPatternInit read as the standard reads it, for the tests alone.

An init is a dictionary of components with an optional `baseURL`. Detour has no such thing: its
patterns are absolute and its requests are URLs. The standard's own cases are written in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import ada_url

# The standard's names of the components, and Detour's.
NAMES = {
    "protocol": "scheme",
    "hostname": "hostname",
    "port": "port",
    "pathname": "path",
    "search": "query",
}
_ORDER = tuple(NAMES)
_DEFAULT_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21"}


class InvalidInit(Exception):
    """What the standard answers with a TypeError, or with no match."""


def components_of(url: str, base: str | None = None) -> dict[str, str]:
    """The components of a URL; raises `InvalidInit`."""
    try:
        parsed = ada_url.URL(url, base=base)
    except (ValueError, UnicodeEncodeError) as error:
        raise InvalidInit(str(error)) from None
    return {
        "protocol": parsed.protocol[:-1],
        "hostname": parsed.hostname,
        "port": parsed.port,
        "pathname": parsed.pathname,
        "search": parsed.search[1:],
    }


def resolve_pattern(init: Mapping[str, str]) -> dict[str, str]:
    """The component patterns an init stands for; what it leaves open is absent."""
    result = _inherited(init, escape=escape_pattern)
    for name in NAMES:
        if name in init:
            result[name] = _stripped(name, init[name])
    if "pathname" in init and "baseURL" in init:
        base = escape_pattern(components_of(init["baseURL"])["pathname"])
        result["pathname"] = _join(base, result["pathname"], ("/", "\\/", "{/"))
    if result.get("port") and _DEFAULT_PORTS.get(result.get("protocol", "")) == result["port"]:
        result["port"] = ""
    return result


def resolve_input(init: Mapping[str, str]) -> dict[str, str]:
    """The URL components an init stands for; raises `InvalidInit`."""
    result = dict.fromkeys(NAMES, "") | _inherited(init, escape=str)
    for name in NAMES:
        if name in init:
            result[name] = _stripped(name, init[name])
    if "pathname" in init and "baseURL" in init:
        result["pathname"] = _join(components_of(init["baseURL"])["pathname"], result["pathname"], ("/",))
    scheme = result["protocol"] = _scheme(result["protocol"])
    result["hostname"] = _set("hostname", result["hostname"])
    result["port"] = _port(result["port"], scheme)
    result["pathname"] = _path(result["pathname"], scheme)
    result["search"] = _set("search", f"?{result['search']}")[1:] if result["search"] else ""
    return result


def escape_pattern(text: str) -> str:
    """Text as a pattern of itself (URL Pattern, "escape a pattern string")."""
    return re.sub(r"([+*?:{}()\\])", r"\\\1", text)


def _inherited(init: Mapping[str, str], escape) -> dict[str, str]:
    """What the base URL gives: components before the first that the init names."""
    if "baseURL" not in init:
        return {}
    base = components_of(init["baseURL"])
    result = {}
    for name in _ORDER:
        if name in init:
            break
        result[name] = escape(base[name])
    return result


def _stripped(name: str, value: str) -> str:
    if name == "protocol":
        return value.removesuffix(":")
    return value.removeprefix("?") if name == "search" else value


def _join(base: str, path: str, absolute: tuple[str, ...]) -> str:
    return path if path.startswith(absolute) else base[: base.rfind("/") + 1] + path


def _scheme(scheme: str) -> str:
    if scheme and not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
        raise InvalidInit(scheme)
    return scheme.lower()


def _port(port: str, scheme: str) -> str:
    digits = re.match(r"[0-9]*", re.sub(r"[\t\r\n]", "", port))[0]
    if port and (not digits or int(digits) > 65535):
        raise InvalidInit(port)
    return "" if digits == _DEFAULT_PORTS.get(scheme) else digits


def _path(path: str, scheme: str) -> str:
    if not path or (scheme and scheme not in (*_DEFAULT_PORTS, "file")):
        return path
    lead = "" if path.startswith("/") else "/-"
    return _set("pathname", lead + path)[len(lead) :]


def _set(attribute: str, text: str) -> str:
    if not text:
        return ""
    url = ada_url.URL("https://dummy.invalid/")
    try:
        setattr(url, attribute, text)
    except ValueError as error:
        raise InvalidInit(str(error)) from None
    return getattr(url, attribute)
