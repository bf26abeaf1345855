"""Log-format expressions in a Location, and map files (configuration.txt, 8.2.6 and 7.3.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from detour.errors import PatternError, TemplateError
from detour.formats.demand import ANY, Demand, Kind, Text, both
from detour.formats.haproxy.conditions import file_lines

_ALIAS = r"%(?:\{[^}]*\})?(HPO|HU|HP|HQ|HM|%|[a-zA-Z]+)"
_EXPRESSION = re.compile(r"%\[((?:[^\[\]\"']|\"[^\"]*\"|'[^']*'|\[[^\]]*\])*)\]|" + _ALIAS)

PATH, HOST, QUERY, URI = "{url.path}", "{url.hostname}", "{url.query}", "\0uri"

# What a fetch yields of the request, in native template syntax.
_FETCHES = {
    "path": PATH, "capture.req.uri": URI, "url": URI, "pathq": URI, "query": QUERY,
    "hdr(host)": HOST, "req.hdr(host)": HOST, "req.hdr(host,1)": HOST, "req.fhdr(host)": HOST,
    "hdr(host,1)": HOST, "base": f"{HOST}{PATH}",
}  # fmt: skip
_ALIASES = {"HU": URI, "HP": PATH, "HPO": PATH, "HQ": "\0query", "HM": None, "%": "%"}

_MAPS: dict[str, Kind] = {
    "map": "exact", "map_str": "exact", "map_str_str": "exact", "map_beg": "prefix", "map_beg_str": "prefix",
    "map_end": "suffix", "map_end_str": "suffix", "map_sub": "part", "map_reg": "regex",
}  # fmt: skip
_MAP = re.compile(r"(map[a-z_]*)\(([^,()]+)(?:,([^()]*))?\)")
_CONVERTERS = re.compile(r"(?:[^,()]|\((?:[^()\\]|\\.|\([^()]*\))*\))+")
_UNCHANGING = {"lower", "host_only", "ltrim( )", "rtrim( )"}


class Place(msgspec.Struct, frozen=True):
    """A Location for the requests of a demand: a native template, and whether it holds the query."""

    template: str
    demand: Demand = ANY
    keeps_query: bool = False
    complete: bool = False  # whether there is a place for every request


def places(text: str, values: Mapping[str, str], texts: Mapping[str, str]) -> Iterator[Place]:
    """What a location may yield: one place, or one for each row of a map it asks, in the order in which the
    first answers. `values`: what variables hold. Raises for what cannot be expressed."""
    parts: list[str | list[tuple[Demand, str]]] = []
    position = 0
    for found in _EXPRESSION.finditer(text):
        parts.append(_escaped(text[position : found.start()]))
        position = found.end()
        parts.append(_alias(found[2]) if found[2] else _expression(found[1], values, texts))
    parts.append(_escaped(text[position:]))
    rows = [part for part in parts if isinstance(part, list)]
    if len(rows) > 1:
        raise TemplateError("the location asks two maps", "ask one, or write the rules out")
    for demand, value in rows[0] if rows else [(ANY, "")]:
        made = _place("".join(value if isinstance(part, list) else part for part in parts), demand)
        yield msgspec.structs.replace(made, complete=any(one == ANY for one, _ in rows[0]) if rows else False)


def _place(template: str, demand: Demand) -> Place:
    """With the query as received where the location ends with the request's; elsewhere it is a slot."""
    bare = re.sub(r"\0uri$", PATH, template)
    bare = re.sub(r"(?:\0query|\?\{url\.query\})$", "", bare)
    keeps = bare != template
    rest = bare.replace(URI, f"{PATH}?{QUERY}").replace("\0query", f"?{QUERY}")
    return Place(f"/{rest}" if rest.startswith(PATH) else rest, demand, keeps)


_BEHIND = re.compile("\1([0-9]+)\1")


def behind(template: str, path: Text | None, rest: str) -> str:
    """The template with what stands of a path behind so many octets, for the paths that `path` says.

    Raises `TemplateError` where they are not told apart there.
    """

    def put(found: re.Match[str]) -> str:
        size = int(found[1])
        if path is None and size == 1:
            return f"{{{rest}}}"
        if path is None or path.kind not in ("exact", "prefix") or len(path.text) < size:
            raise TemplateError(
                f"what stands behind {size} octets of a path", f"ask for the beginning: `path_beg` of {size}"
            )
        return _escaped(path.text[size:]) + (f"{{{rest}}}" if path.kind == "prefix" else "")

    return _BEHIND.sub(put, template)


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _alias(name: str) -> str:
    found = _ALIASES.get(name)
    if found is None:
        raise _unknown(f"%{name}")
    return found


def _unknown(text: str) -> TemplateError:
    return TemplateError(
        f"the location holds `{text}`, which Detour does not know",
        "use path, query, url, hdr(host), or a map of one of these",
    )


def _expression(
    text: str, values: Mapping[str, str], texts: Mapping[str, str]
) -> str | list[tuple[Demand, str]]:
    fetch, *converters = [part.strip() for part in _CONVERTERS.findall(text)] or [""]
    if fetch.startswith("str(") and not converters:
        return _escaped(fetch[4:-1])
    if fetch.startswith("var(") and fetch[4:-1] in values:
        inner = values[fetch[4:-1]]
        if not inner:
            raise _unknown(f"%[{text}]")
        if inner in _HELD and not converters:
            return _HELD[inner]
        return _expression(",".join([inner, *converters]), values, texts)
    slot = _FETCHES.get(fetch.lower())
    if slot is None:
        raise _unknown(f"%[{text}]")
    for place, converter in enumerate(converters):
        if converter in _UNCHANGING:
            continue
        if slot == PATH and place == len(converters) - 1 and (cut := _cut(converter)) is not None:
            return cut
        found = _MAP.fullmatch(converter)
        if found is None or found[1] not in _MAPS or place != len(converters) - 1:
            raise _unknown(f"%[{text}]")
        return list(_rows(slot, found[1], found[2].strip(), found[3], texts))
    return slot


_HELD = {"added_query": "\0query", "scheme": "{url.scheme}"}
_REGSUB = re.compile(r"regsub\(\^((?:[\w/-]|\\.)*),([^,()\\]*)(?:,g)?\)")
_BYTES = re.compile(r"bytes\(([0-9]{1,4})\)")


def _cut(converter: str) -> str | list[tuple[Demand, str]] | None:
    """A path that has lost its beginning, or got another one; None for other converters."""
    found = _BYTES.fullmatch(converter)
    if found is not None:
        return f"\1{int(found[1])}\1"
    found = _REGSUB.fullmatch(converter)
    if found is None:
        return None
    start = re.sub(r"\\(.)", r"\1", found[1])
    if re.search(r"\\[A-Za-z0-9]", found[1]) or not start.startswith("/"):
        return None
    other = f"{_escaped(found[2])}\1{len(start)}\1"
    return [(Demand(path=Text("prefix", start)), other), (ANY, PATH)]


def _rows(
    slot: str, kind: str, file: str, default: str | None, texts: Mapping[str, str]
) -> Iterator[tuple[Demand, str]]:
    rows = [tuple(line.split(None, 1)) for line in file_lines(file, texts)]
    known: dict[str, str] = {}
    for row in rows:
        if len(row) == 2:
            known.setdefault(row[0], row[1])
    order = list(known)
    if _MAPS[kind] in ("prefix", "suffix"):
        order.sort(key=len, reverse=True)
    for key in order:
        yield _demand(slot, Text(_MAPS[kind], key)), _escaped(known[key])
    if default is not None:
        yield ANY, _escaped(default.strip())


def _demand(slot: str, key: Text) -> Demand:
    if slot == HOST:
        return Demand(host=key)
    if slot in (PATH, URI):
        path, mark, query = key.text.partition("?") if key.kind != "regex" else (key.text, "", "")
        if slot == URI and mark:
            return Demand(path=Text("exact", path), query=Text(key.kind, query))
        if slot == URI and key.kind == "exact":
            return Demand(path=key, query=Text("exact", ""))
        return Demand(path=key)
    if slot == QUERY:
        return Demand(query=key)
    host, slash, path = key.text.partition("/")
    if key.kind not in ("exact", "prefix") or not slash:
        raise PatternError(f"{key.text!r} is a part of host and path at once", "write host and path out")
    found = both(Demand(host=Text("exact", host.lower())), Demand(path=Text(key.kind, slash + path)))
    assert found is not None
    return found
