"""HAProxy: a frontend with one `http-request` line for each rule, in their order.

HAProxy compares paths as they were sent. What follows a prefix is cut out with `bytes`, a segment with
`field`; a capture of a regular expression has no word that survives HAProxy's quoting, so such a rule is left
out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from detour.core.rule import ClientCondition, Condition, Rule
from detour.core.template import Slot
from detour.formats.writers.ways import Way, keeps_query, spell
from detour.formats.writers.writing import Cannot, Writing, Written

SAYS = frozenset(
    {"methods", "header", "cookie", "query", "client", "unless", "cache", "retry-after", "headers"}
)

_REQUEST = {
    "url.hostname": "%[req.hdr(host),host_only]",
    "url.path": "%[path]",
    "url.query": "%[query]",
    "url.scheme": "%[var(txn.scheme)]",
    "url.port": "%[dst_port]",
}
_NAMES = {"header": "req.hdr", "cookie": "req.cook", "query": "url_param"}
_ASKED = "%[var(txn.asked)]"  # `?` and the query, or nothing
_ADDED = "%[var(txn.added)]"  # `&` and the query, or nothing
_VARIABLES = (
    (_ASKED, "    http-request set-var-fmt(txn.asked) ?%[query] if { query -m len ge 1 }\n"),
    (_ADDED, "    http-request set-var-fmt(txn.added) &%[query] if { query -m len ge 1 }\n"),
    (
        "txn.scheme",
        "    http-request set-var(txn.scheme) str(http)\n"
        "    http-request set-var(txn.scheme) str(https) if { ssl_fc }\n",
    ),
)


def write(rules: Iterable[Rule], now: float) -> Written:
    """A frontend; rules that are not in force at `now` (epoch, seconds) are left out."""
    writing = Writing[tuple[str, str, str]](SAYS, now)
    lines: list[str] = []
    limited: list[str] = []
    binds = {"    bind :80"}
    for rule, found in writing.each(rules, _line):
        lines += (line for line, _, _ in found)
        binds.update(bind for _, _, bind in found)
        if rule.terms.methods is not None:
            limited += (f"    http-request return status 405{where}" for _, where, _ in found)
    text = "\n".join([*lines, *dict.fromkeys(limited), "    http-request return status 404"])
    variables = "".join(line for name, line in _VARIABLES if name in text)
    head = "frontend redirects\n" + "".join(f"{bind}\n" for bind in sorted(binds))
    notes = ("`ssl crt` needs your certificate",) if any("ssl" in bind for bind in binds) else ()
    return writing.written(f"{head}{variables}{text}\n", notes)


def _bind(way: Way) -> str:
    tls = way.scheme == "https"
    port = way.port or ("443" if tls else "80")
    return f"    bind :{port} ssl crt /etc/haproxy/certificate.pem" if tls else f"    bind :{port}"


def _line(way: Way) -> tuple[str, str, str] | Cannot:
    """The line of a rule, the condition that says where it applies, and the `bind` it needs."""
    if way.query_regex:
        return Cannot("a pattern with a query")
    answer = _answer(way)
    if isinstance(answer, Cannot):
        return answer
    where = _if(_where(way, way.rule))
    condition = _if((*_where(way, way.rule), *_conditions(way.rule)))
    return f"    http-request {answer}{condition}  # {way.rule.name}", where, _bind(way)


def _if(tests: Iterable[str]) -> str:
    text = " ".join(tests)
    return f" if {text}" if text else ""


def _answer(way: Way) -> str | Cannot:
    rule = way.rule
    if rule.template is None:
        return f"return status {rule.status}"
    slots = dict(_REQUEST) | dict.fromkeys(way.unmatched, "")
    slots |= dict(_captures(way))
    location = spell(rule.template, lambda text: text.replace("%", "%%"), slots)
    if isinstance(location, Slot):
        return Cannot(f"{{{location.name}}}, which a regular expression captures")
    if keeps_query(rule):
        before, mark, fragment = location.partition("#")
        location = f"{before}{_ADDED if '?' in before else _ASKED}{mark}{fragment}"
    fields = [*_fields(rule)]
    if not fields:
        return f"redirect location {_word(location)} code {rule.status}"
    written = "".join(f" hdr {name} {_word(value)}" for name, value in [("Location", location), *fields])
    return f"return status {rule.status}{written}"


def _captures(way: Way) -> Iterator[tuple[str, str]]:
    """Fetches for what the gaps of a path hold; a host below another has the text in front of it."""
    slashes, fixed, open_ = 0, "", False
    for piece in way.path:
        if isinstance(piece, str):
            slashes += piece.count("/")
            fixed = piece if open_ else fixed + piece
        elif piece.kind == "segment":
            yield piece.name, f"%[path,field({slashes + 1},/)]"
            open_ = True
        elif fixed.endswith("/"):
            whole = f"%[path,field({slashes + 1},/,0)]"
            yield piece.name, whole if open_ else f"%[path,bytes({len(fixed)})]"
        elif not open_:
            yield piece.name, f"%[path,bytes({len(fixed)})]"


def _where(way: Way, rule: Rule) -> Iterator[str]:
    if way.scheme:
        yield "{ ssl_fc }" if way.scheme == "https" else "!{ ssl_fc }"
    if way.port:
        yield f"{{ dst_port {way.port} }}"
    host = "req.hdr(host),host_only"
    if way.host.startswith("*"):
        yield f"{{ {host} -m end -i {way.host[1:]} }}"
    elif way.host:
        yield f"{{ {host} -i {way.host} }}"
    elif way.host_regex:
        yield f"{{ {host} -m reg -i {_word(f'^{way.host_regex}$')} }}"
    flag = " -i" if rule.ignore_case else ""
    if way.exact is not None:
        yield f"{{ path{flag} {_word(way.exact)} }}"
    elif way.prefix is not None:
        if way.prefix != "/":
            yield f"{{ path_beg{flag} {_word(way.prefix)} }}"
    elif way.regex != ".*":
        yield f"{{ path_reg{flag} {_word(f'^{way.regex}$')} }}"


def _conditions(rule: Rule) -> Iterator[str]:
    if rule.terms.methods is not None:
        yield f"{{ method {' '.join(sorted(rule.terms.methods))} }}"
    yield from (f"{{ {_test(one)} }}" for one in rule.terms.when)
    yield from (f"!{{ {_test(one)} }}" for one in rule.terms.unless)


def _test(condition: Condition) -> str:
    if isinstance(condition, ClientCondition):
        return f"src {' '.join(condition.networks)}"
    fetch = f"{_NAMES[condition.of]}({condition.name})"
    if condition.values is None:
        return f"{fetch} -m found"
    return f"{fetch} -m str {' '.join(map(_word, condition.values))}"


def _fields(rule: Rule) -> Iterator[tuple[str, str]]:
    if rule.terms.cache is not None:
        yield "Cache-Control", f"max-age={rule.terms.cache}"
    if rule.terms.retry_after is not None:
        yield "Retry-After", str(rule.terms.retry_after)
    yield from ((name, value.replace("%", "%%")) for name, value in rule.terms.headers)


def _word(text: str) -> str:
    """A word of HAProxy's (configuration manual §2.2): quoted where it must be."""
    if not set(text) & set(" \t\"'\\#$"):
        return text
    for special in '\\"$':
        text = text.replace(special, f"\\{special}")
    return f'"{text}"'
