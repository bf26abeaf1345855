"""RewriteCond as demands (httpd.apache.org/docs/2.4/mod/mod_rewrite.html#rewritecond)."""

from __future__ import annotations

import re

from detour.core.message import METHODS
from detour.core.rule import ClientCondition, FieldCondition
from detour.errors import PatternError
from detour.formats.apache.syntax import Directive
from detour.formats.demand import ANY, Demand, Text, excluded, of_regex
from detour.formats.numbers import whole

_FILES = {"-f", "-d", "-l", "-s", "-F", "-U", "-h", "-L", "-x"}
_VARIABLE = re.compile(r"%\{([^}]+)\}")
_PARAMETER = re.compile(  # one value among others: both ends must be told
    r"(?:\(\^\|&\)|\(\?:\^\|&\))([A-Za-z0-9_-]+)=([A-Za-z0-9_%+-]+)(?:\(&\|\$\)|\(\?:&\|\$\))"
)
_COOKIE = re.compile(r"(?:\(\^\|; ?\)|\\b)([A-Za-z0-9_-]+)=([A-Za-z0-9_.-]+)(?:\(;\|\$\)|\\b)")

FILES_NOTE = "it asks whether a file is there; Detour has no files, so the rule acts as if there is none"


class Cond:
    """One condition: the demands of which one must hold, and whether it rests on files."""

    def __init__(self, directive: Directive, captured: bool) -> None:
        test, pattern = directive.args[0], directive.args[1] if len(directive.args) > 1 else ""
        flags = {flag.strip().upper() for flag in "".join(directive.args[2:]).strip("[]").split(",")}
        self.either = bool(flags & {"OR", "ORNEXT"})
        self.note = ""
        found = _VARIABLE.search(test)
        self.variable = found[1].upper() if found else ""
        negated = pattern.startswith("!")
        bare = pattern[1:] if negated else pattern
        fold = bool(flags & {"NC", "NOCASE"})
        if bare in _FILES:
            self.demands = self._file(negated)
        elif found is None or found[0] != test:
            raise _unknown(test)
        else:
            self.demands = read(self.variable, bare, negated, fold, captured)

    def _file(self, negated: bool) -> tuple[Demand, ...]:
        self.note = FILES_NOTE
        return (ANY,) if negated else ()


def _unknown(test: str) -> PatternError:
    return PatternError(
        f"the condition looks at {test!r}, which Detour does not know",
        "ask for HTTP_HOST, REQUEST_URI, QUERY_STRING, HTTPS, REQUEST_METHOD or a field",
    )


def read(
    variable: str, pattern: str, negated: bool, fold: bool, captured: bool = False
) -> tuple[Demand, ...]:
    """What a variable must match, as demands of which one must hold; raises `PatternError`."""
    if variable in ("HTTPS", "ENV:HTTPS", "REQUEST_SCHEME", "SERVER_PORT", "SERVER_PORT_SECURE"):
        return _scheme(variable, pattern, negated)
    if variable == "REQUEST_METHOD":
        named = frozenset(re.findall(r"[A-Z]+", pattern)) & METHODS
        _plain(variable, pattern, r"[=^]?\(?[A-Z|]+\)?\$?")
        return (Demand(methods=METHODS - named if negated else named),)
    if variable == "REMOTE_ADDR":
        return _client(pattern, negated)
    if variable in ("HTTP_HOST", "SERVER_NAME", "HTTP:HOST"):
        return _text("host", _texts(pattern, True, captured), negated)
    if variable == "REQUEST_URI":
        return _text("path", _texts(pattern, fold, captured), negated)
    if variable == "THE_REQUEST" and not negated:
        return (_request_line(pattern, fold),)
    if variable == "QUERY_STRING":
        return _query(pattern, fold, negated)
    if variable == "HTTP_COOKIE":
        found = _COOKIE.fullmatch(pattern)
        if found is None:
            raise PatternError(f"{pattern!r} is no whole cookie", "ask for `name=value`")
        return _field(FieldCondition(found[1], (found[2],), "cookie"), negated)
    if variable.startswith(("HTTP:", "HTTP_")):
        return _header(variable[5:].replace("_", "-").lower(), pattern, negated)
    raise _unknown(f"%{{{variable}}}")


_REQUEST_LINE = re.compile(
    r"\^?(?:\[A-Z\](?:\{3,9\}|\+)|\\S\+|\.\*|\(?(?P<methods>[A-Z]+(?:\|[A-Z]+)*)\)?)?(?:\\s|\\ | )\+?"
    r"(?P<path>/.*?)(?P<end>(?:\\s|\\ | )\+?HTTP.*|\[(?:\\s|\\ | )\\?\?\]|\[\\?\?(?:\\s|\\ | )\]|)\$?"
)


def _request_line(pattern: str, fold: bool) -> Demand:
    """`GET /path?query HTTP/1.1`: its path, where the expression says where that begins and ends."""
    found = _REQUEST_LINE.fullmatch(pattern)
    if found is None or re.search(r"\\[?sS]|\[\^", found["path"]):
        raise PatternError(f"{pattern!r} of the request line", "ask for REQUEST_URI and REQUEST_METHOD")
    path, end = found["path"], found["end"]
    if not end and not re.fullmatch(r"(?:[\w/-]|\\[./-])+", path):
        raise PatternError(f"{pattern!r} may match in the query", "ask for REQUEST_URI")
    methods = frozenset(found["methods"].split("|")) & METHODS if found["methods"] else None
    query = Text("exact", "") if "HTTP" in end else None
    ended = f"^{path}{'$' if end else ''}"
    [text] = of_regex(ended, ignore_case=fold) if "|" not in ended else (Text("regex", ended, fold),)
    return Demand(path=text, query=query, methods=methods)


def _plain(variable: str, pattern: str, form: str) -> None:
    if not re.fullmatch(form, pattern):
        raise PatternError(f"{pattern!r} asks for a part of {variable}", "name whole values, as in `^(a|b)$`")


def _scheme(variable: str, pattern: str, negated: bool) -> tuple[Demand, ...]:
    value = pattern.strip("=^$\"'()").lower()
    known = {"on": "https", "off": "http", "https": "https", "http": "http", "443": "https", "80": "http"}
    if variable == "SERVER_PORT" and value.isdecimal() and value not in known and not negated:
        return (Demand(port=value),)
    if value not in known:
        raise PatternError(f"{pattern!r} of {variable}", "ask for `on` or `off`")
    scheme = known[value]
    if negated:
        scheme = "http" if scheme == "https" else "https"
    return (Demand(scheme=scheme),)


def _client(pattern: str, negated: bool) -> tuple[Demand, ...]:
    octets = pattern.strip("^$=").replace("\\.", ".").rstrip(".").split(".")
    if not all(octet.isdecimal() and whole(octet) < 256 for octet in octets) or len(octets) > 4:
        raise PatternError(f"{pattern!r} is no network", "name addresses, or the octets they begin with")
    network = ".".join([*octets, *["0"] * (4 - len(octets))]) + f"/{8 * len(octets)}"
    condition = ClientCondition((network,))
    return (Demand(unless=(condition,)) if negated else Demand(when=(condition,)),)


def _texts(pattern: str, fold: bool, captured: bool) -> tuple[Text, ...]:
    if pattern.startswith("="):
        return (Text("exact", pattern[1:].strip('"').lower() if fold else pattern[1:].strip('"')),)
    if captured:
        return (Text("regex", pattern, fold),)
    return of_regex(pattern, ignore_case=fold)


def _text(name: str, texts: tuple[Text, ...], negated: bool) -> tuple[Demand, ...]:
    if any(text.kind == "part" and not text.text for text in texts):
        return () if negated else (ANY,)
    if name == "host":
        texts = tuple(Text(text.kind, text.text.lower()) if text.kind != "regex" else text for text in texts)
    found = (excluded(texts),) if negated else texts
    return tuple(Demand(host=text) if name == "host" else Demand(path=text) for text in found)


def _query(pattern: str, fold: bool, negated: bool) -> tuple[Demand, ...]:
    found = _PARAMETER.fullmatch(pattern)
    if found is not None:
        return _field(FieldCondition(found[1], (found[2],), "query"), negated)
    texts = of_regex(pattern.replace(".+", ".") if pattern in (".+", "^.+$") else pattern, ignore_case=fold)
    if pattern in (".", ".+", "^.+$", "^.+"):
        return _text("query", (Text("exact", ""),), not negated)
    if any(text.kind == "regex" for text in texts):
        raise PatternError("an expression of the query", "ask for one parameter: `(^|&)name=value(&|$)`")
    found_texts = (excluded(texts),) if negated else texts
    return tuple(Demand(query=text) for text in found_texts)


def _header(name: str, pattern: str, negated: bool) -> tuple[Demand, ...]:
    if pattern in ("^$", ".", ".+", "!^$"):
        return _field(FieldCondition(name, None, "header"), negated != (pattern == "^$"))
    anchored = re.fullmatch(r"(?:=|\^)?\(?([A-Za-z0-9 |/_-]+)\)?\$?", pattern)
    whole = pattern.startswith("=") or (pattern.startswith("^") and pattern.endswith("$"))
    if anchored is None or not (whole or name == "x-forwarded-proto"):
        raise PatternError(f"{pattern!r} asks for a part of the field {name}", "name whole values")
    return _field(FieldCondition(name, tuple(anchored[1].split("|")), "header"), negated)


def _field(condition: FieldCondition, negated: bool) -> tuple[Demand, ...]:
    return (Demand(unless=(condition,)) if negated else Demand(when=(condition,)),)
