"""vercel.json: `redirects`, `cleanUrls`, `trailingSlash`, and `routes` that redirect.

Read (vercel/vercel, packages/routing-utils/src/superstatic.ts and schemas.ts, in the order it compiles them):

- `cleanUrls`: `/x.html` to `/x`, `/dir/index` to `/dir`; `trailingSlash`: true adds one to paths without a
  dot and takes it off files, false takes it off. Both with 308, and nobody wrote the redirects themselves.
- `redirects`: `source` (path-to-regexp 6, which URL Pattern grew from), `destination` with `:name` and `$1`,
  `statusCode`, else `permanent` (true, the default: 308; false: 307), `has` and `missing` (`host`, `header`,
  `cookie`, `query`). The request's query is kept.
- `routes` (older): `src`, a regular expression of the whole path, with `status` and `headers.Location`.

Values of `has` and `missing` are regular expressions of all of the host, field, cookie or parameter, or one
of `eq`, `inc` and `re`. A host may be any expression in `has`, and what its named groups capture may stand in
the destination; elsewhere an expression is read where it lists values (`(hello|world)`) or takes any (`.*`).

Not read: `neq`, `ninc`, `pre`, `suf` and comparisons, captures of fields, cookies and parameters in a
destination, looking around in a `source`, `$1` in a route's Location, `env`. Rewrites never redirect. Bulk
redirects are a dialect of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from detour.core.rule import Condition, FieldCondition
from detour.errors import NodeError, PatternError, TemplateError
from detour.formats.demand import of_regex
from detour.formats.draft import Draft, LineFault
from detour.formats.redirects_file import Captures, PartError, literal, template
from detour.formats.regex import expression
from detour.formats.routes import fixed_path, origin, redirect_status, whole_path
from detour.formats.yaml_nodes import Node, documents, fault

DEFAULT_STATUS = 308

_KEYS = re.compile(
    r'"(?:cleanUrls|trailingSlash)"\s*:|"redirects"\s*:\s*\[|"routes"\s*:\s*\[\s*\{\s*"(?:src|handle)"\s*:\s*"'
)
_TOKEN = re.compile(r"\\(?P<escaped>.)|:(?P<name>\w+)|(?P<open>\()|(?P<brace>[{}])|(?P<text>.)", re.DOTALL)
_SLOT = re.compile(r"\{?:(\w+)[*+?]?\}?|\$(\d+)")
_PLAIN_VALUE = re.compile(r"[\w /@:;,%~=&#!-]*(?:\\?\.[\w /@:;,%~=&#!-]*)*")

_NAMED = re.compile(r"\(\?<([A-Za-z]\w*)>")
_GROUP = re.compile(r"\([^()]*\)")
_ANY_VALUE = (".*", ".+", "(.*)", "(.+)", "(?:.*)", "(?:.+)")

_CLEAN = (
    ("/index{.html}?{/}?", ""),
    ("/:dir(.+)/index{.html}?{/}?", "/{dir}"),
    ("/:file(.*).html{/}?", "/{file}"),
)
_SLASH = (
    ("/:path((?:[^/]+/)*[^/.]+)", "/{path}/"),
    ("/:path((?:[^/]+/)*[^/]+[.][0-9A-Za-z_]+)/", "/{path}"),
)
_NO_SLASH = (("/:path(.*)/", "/{path}"),)


def detect(text: str) -> bool:
    """Whether a text is an object with one of the keys that make Vercel redirect."""
    return text.lstrip("\ufeff \t\r\n").startswith("{") and _KEYS.search(text) is not None


def read(text: str) -> Iterator[Draft | LineFault]:
    """Each redirect, in the order in which the first that fits answers."""
    for document in documents(text):
        if isinstance(document, LineFault):
            yield document
        elif document.is_mapping:
            yield from _site(document)


def _site(site: Node) -> Iterator[Draft | LineFault]:
    for part in (_clean_urls, _trailing_slash):
        try:
            yield from part(site)
        except NodeError as error:
            yield fault(error)
    for key, restate in (("redirects", _redirect), ("routes", _route)):
        try:
            listed = site.list_at(key)
        except NodeError as error:
            yield fault(error)
            continue
        for one in listed:
            yield from restate(one)


def _clean_urls(site: Node) -> Iterator[Draft]:
    if site.boolean_at("cleanUrls"):
        end = "/" if site.boolean_at("trailingSlash") else ""
        for pattern, to in _CLEAN:
            yield Draft(
                site.line_of("cleanUrls"), pattern, (to + end) or "/", 308, implicit="`cleanUrls` is on"
            )


def _trailing_slash(site: Node) -> Iterator[Draft]:
    wanted, line = site.boolean_at("trailingSlash"), site.line_of("trailingSlash")
    if wanted is None:
        return
    if wanted:
        yield Draft(line, "/.well-known{/*}?")
    for pattern, to in _SLASH if wanted else _NO_SLASH:
        yield Draft(line, pattern, to, 308, implicit=f"`trailingSlash` is {str(wanted).lower()}")


# ---- redirects


def _redirect(node: Node) -> Iterator[Draft | LineFault]:
    pattern = None
    try:
        captures, numbered = Captures(), list[str]()
        source, destination = node.text_at("source"), node.text_at("destination")
        if source is None or destination is None:
            raise NodeError(node.line, "a redirect without `source` or `destination`", "write both")
        host, of_host = _host(node)
        pattern = host + _source(source, captures, numbered)
        yield Draft(
            node.line,
            pattern,
            _destination(destination, captures, numbered, of_host, _named_elsewhere(node)),
            _status(node),
            when=tuple(_conditions(node, "has")),
            unless=tuple(_conditions(node, "missing")),
        )
    except NodeError as error:
        yield LineFault(error.line, error.fact, error.remedy, pattern)
    except PartError as refusal:
        yield LineFault(node.line, refusal.fact, refusal.remedy, pattern)


def _status(node: Node) -> int:
    said = redirect_status(node.integer_at("statusCode"))
    if said is not None:
        return said
    return 307 if node.boolean_at("permanent") is False else 308


def _source(source: str, captures: Captures, numbered: list[str]) -> str:
    """A path-to-regexp source as a pattern; raises `PatternError`."""
    if not source.startswith("/"):
        raise PatternError(f"the source {source!r} does not begin with a slash", f"write `/{source}`")
    written, place, braces = "", 0, 0
    while place < len(source):
        found = _TOKEN.match(source, place)
        assert found is not None  # it matches any character
        place = found.end()
        if found["brace"]:
            braces += 1 if found["brace"] == "{" else -1
            modifier, place = _modifier(source, place) if found["brace"] == "}" else ("", place)
            written += found["brace"] + modifier
        elif found["name"] or found["open"]:
            regex, place = _regex(source, place - bool(found["open"]))
            modifier, place = ("", place) if braces else _modifier(source, place)
            group = captures.add(found["name"] or str(len(numbered)))
            numbered.append(group)
            if written == "/" and modifier and place == len(source):
                written = _whole(f":{group}", regex, modifier)
            else:
                written = _grouped(written, f":{group}{regex}", modifier)
        else:
            written += literal(found["escaped"] or found["text"])
    return written


def _regex(source: str, place: int) -> tuple[str, int]:
    """The expression in parentheses at a place, and where it ends."""
    if source[place : place + 1] != "(":
        return "", place
    depth, end = 0, place
    while end < len(source):
        if source[end] == "\\":
            end += 1
        elif source[end] in "()":
            depth += 1 if source[end] == "(" else -1
            if depth == 0:
                return source[place : end + 1], end + 1
        end += 1
    raise PatternError(f"a parenthesis without its end in {source!r}", "close it")


def _modifier(source: str, place: int) -> tuple[str, int]:
    found = source[place : place + 1]
    return (found, place + 1) if found and found in "?*+" else ("", place)


def _whole(group: str, regex: str, modifier: str) -> str:
    """A group that is all of the path: no path is without its first slash, so none is without the group."""
    one = f"(?:{regex[1:-1]})" if regex else "[^/]+"
    return f"/{group}{regex}" if modifier == "?" else f"/{group}({one}(?:/{one})*)"


def _grouped(before: str, group: str, modifier: str) -> str:
    """A group behind text, with the prefix that its modifier takes in (path-to-regexp: a slash or a dot)."""
    if not modifier:
        return before + group
    prefix = before[-1:] if before[-1:] in ("/", ".") else ""
    return f"{before[: len(before) - len(prefix)]}{{{prefix}{group}}}{modifier}"


def _destination(
    to: str, captures: Captures, numbered: list[str], of_host: Mapping[str, str], elsewhere: set[str]
) -> str:
    """The template; raises `TemplateError`, `URLError`. `elsewhere`: names of what no template can hold."""
    names: dict[str, str] = {**of_host, **captures.groups}
    names.update({f"{number}": group for number, group in enumerate(numbered, start=1)})
    if unknown := [name for name in _SLOT.findall(to) if name[0] in elsewhere - names.keys()]:
        raise TemplateError(
            f"the destination holds `:{unknown[0][0]}`, which a condition captures", "take it from the path"
        )
    marked = _SLOT.sub(
        lambda found: f":{found[1] or found[2]}:" if (found[1] or found[2]) in names else found[0], to
    )
    return template(marked, names, re.compile(r":(\w+):"))


# ---- conditions


def _host(node: Node) -> tuple[str, Mapping[str, str]]:
    """The host that `has` asks for, as an origin, and the groups of its names; raises `PatternError`."""
    asked = [one for one in node.list_at("has") if one.text_at("type") == "host"]
    if len(asked) > 1:
        raise NodeError(asked[1].line, "`has` asks for two hosts at once", "ask for one")
    if not asked:
        return "", {}
    regex = _regex_of(asked[0]) or ""
    listed = _listed(regex)
    if listed is not None and len(listed) == 1:
        return origin(listed[0]), {}
    found = expression(regex, component="hostname", ignore_case=True, whole=True)
    groups = {f"{name}": slot[1:-1] for name, slot in found.captures.items() if slot[:1] == "{"}
    return f"//{found.pattern}", {name: slot for name, slot in groups.items() if not name.isdigit()}


def _named_elsewhere(node: Node) -> set[str]:
    """What `has` captures: by names in its expressions, and by the keys of what may have any value."""
    names = set()
    for one in node.list_at("has"):
        names |= set(_NAMED.findall(_regex_of(one) or ""))
        names.add("host" if one.text_at("type") == "host" else one.text_at("key") or "")
    return names


def _conditions(node: Node, key: str) -> Iterator[Condition]:
    for one in node.list_at(key):
        kind, name = one.text_at("type"), one.text_at("key") or ""
        if kind == "host" and key == "has":
            continue
        if kind == "host":
            yield FieldCondition("host", _values(one), "header")
        elif kind == "header":
            yield FieldCondition(name.lower(), _values(one), "header")
        elif kind in ("cookie", "query"):
            yield FieldCondition(name, _values(one), "cookie" if kind == "cookie" else "query")
        else:
            raise NodeError(one.line, f"`{key}` asks for {kind!r}", "ask for host, header, cookie or query")


def _regex_of(node: Node) -> str | None:
    """The expression that all of a value must be; None where any will do. Raises `NodeError`."""
    value = node.get("value")
    if value is None or not value.is_mapping:
        return None if value is None else value.text
    match list(value.mapping):
        case ["re"]:
            return value.text_at("re")
        case ["eq"]:
            return re.escape(value.text_at("eq") or "")
        case ["inc"]:
            return "|".join(map(re.escape, value.texts_at("inc")))
    asked = ", ".join(value.mapping)
    raise NodeError(value.line, f"a value that is compared by `{asked}`", "list the values under `inc`")


def _values(node: Node) -> tuple[str, ...] | None:
    """The values that a condition asks for, None where any will do; raises `NodeError`."""
    regex = _regex_of(node)
    if regex is None or _NAMED.sub("(", regex) in _ANY_VALUE:
        return None
    listed = _listed(regex)
    if listed is None:
        raise NodeError(node.line, f"{regex!r} is a regular expression", "write a redirect for each value")
    return listed


def _listed(regex: str) -> tuple[str, ...] | None:
    """The whole texts that an expression stands for; None where they cannot be listed."""
    if _PLAIN_VALUE.fullmatch(regex):
        return (regex.replace("\\.", "."),)
    plain = _NAMED.sub("(", regex)
    if _GROUP.fullmatch(plain):
        plain = plain[1:-1].removeprefix("?:")
    texts = of_regex(f"^(?:{plain})$" if "|" in plain else f"^{plain}$")
    return tuple(one.text for one in texts) if all(one.kind == "exact" for one in texts) else None


# ---- routes


def _route(node: Node) -> Iterator[Draft | LineFault]:
    pattern = None
    try:
        source = node.text_at("src")
        headers = node.get("headers")
        named = {key.lower(): one.text for key, one in headers.mapping.items()} if headers is not None else {}
        if source is None or "location" not in named or not 300 <= (node.integer_at("status") or 0) < 400:
            return
        pattern = whole_path(source)
        if node.get("has") is not None or node.get("missing") is not None or "$" in named["location"]:
            raise NodeError(node.line, "a route with conditions or captures", "write it under `redirects`")
        asked = node.texts_at("methods")
        to = named["location"]
        location = fixed_path(to) if to.startswith("/") else template(to, {}, re.compile("(?!)"))
        status = redirect_status(node.integer_at("status"))
        draft = Draft(node.line, pattern, location, status, ignore_case=not node.boolean_at("caseSensitive"))
        yield msgspec.structs.replace(draft, methods=frozenset(asked)) if asked else draft
    except NodeError as error:
        yield LineFault(error.line, error.fact, error.remedy, pattern)
    except PartError as refusal:
        yield LineFault(node.line, refusal.fact, refusal.remedy, pattern)
