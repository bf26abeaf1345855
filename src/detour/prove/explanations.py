"""Differences that are a server's way, not a fault of the rules as written: a fact each, and no wider.

Where a fact is about the request alone, both are asked once more without it: only where they agree then is
it what made the difference.
"""

from __future__ import annotations

import re

import msgspec

from detour.core.url import URL, normalize
from detour.errors import URLError
from detour.prove.compare import Answer, Explanation
from detour.prove.questions import Question

# Empty and dot segments, a `%` alone, triplets in lower case, and those of unreserved characters (RFC 3986
# §6.2.2).
_OTHER_SPELLING = re.compile(
    r"//|/\.{1,2}(?:/|$)|%(?![0-9A-Fa-f]{2})|%(?:[a-f][0-9A-Fa-f]|[0-9A-F][a-f])"
    r"|%(?:4[1-9A-F]|5[0-9A]|6[1-9A-F]|7[0-9A]|3[0-9]|2D|2E|5F|7E)"
)


def _spelt_otherwise(question: Question, detour: Answer, server: Answer) -> bool:
    path = question.target.partition("?")[0]
    return bool(_OTHER_SPELLING.search(path))


def _respelt(question: Question) -> Question:
    """With the path as a URL parser spells it, and slashes merged."""
    path, mark, query = question.target.partition("?")
    once = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", re.sub(r"/{2,}", "/", path))
    parsed = URL.parse(f"http://a.example{once}")
    spelt = re.sub(r"/{2,}", "/", normalize(parsed.path))
    return msgspec.structs.replace(question, target=spelt + mark + query)


SPELLING = Explanation(
    "spelling",
    "the path is spelt otherwise than a URL parser does; servers compare it as sent, decoded or merged",
    _spelt_otherwise,
    _respelt,
)


def _leading_slashes(question: Question, detour: Answer, server: Answer) -> bool:
    collapsed = re.sub(r"^(https?://[^/]+)/+", r"\1/", server.location)
    return server.location != collapsed and (server.status, collapsed) == (detour.status, detour.location)


LEADING_SLASHES = Explanation(
    "leading-slashes",
    "what is captured begins with a slash: Detour never lets a path begin with two, the server pastes text",
    _leading_slashes,
)


def _triplets(question: Question, detour: Answer, server: Answer) -> bool:
    return (server.status, _encoded(server.location)) == (detour.status, _encoded(detour.location))


def _encoded(location: str) -> str:
    """A Location with triplets in upper case, and those characters encoded that no URI may hold."""
    origin = re.match(r"https?://[^/?#]*|", location)
    assert origin is not None
    rest = re.sub(r"%[0-9A-Fa-f]{2}", lambda found: found[0].upper(), location[origin.end() :])
    return origin[0] + re.sub(r'[\[\]|^`{}"<>\\]', lambda found: f"%{ord(found[0]):02X}", rest)


TRIPLETS = Explanation(
    "triplets",
    "the same Location, its percent-encoding in lower case, or of characters that no URI may hold "
    "(RFC 3986 §6.2.2.1, §2)",
    _triplets,
)


_SUB_DELIM = re.compile(r"%(?:21|24|2[6-9ACac]|2[Bb]|3[Aa]|3[Dd]|40)")


def _decoded(question: Question, detour: Answer, server: Answer) -> bool:
    if _SUB_DELIM.search(question.target) is None:
        return False
    pairs = [(one.status, _SUB_DELIM.sub(_character, _encoded(one.location))) for one in (detour, server)]
    return pairs[0] == pairs[1]


def _character(triplet: re.Match[str]) -> str:
    return chr(int(triplet[0][1:], 16))


DECODED = Explanation(
    "decoded",
    "a captured percent-triplet of a character that a path may hold as it is: the server decodes it "
    "(RFC 3986 §3.3, sub-delims), Detour leaves it",
    _decoded,
)


def _to_itself(question: Question, detour: Answer, server: Answer) -> bool:
    if not server.redirects or server.status != detour.itself:
        return False
    try:
        here = str(URL.parse(question.url))
    except URLError:
        return False
    return _encoded(server.location) == _encoded(here)


TO_ITSELF = Explanation(
    "to-itself",
    "the server redirects the request to itself, for ever; Detour passes it over (audit: self-redirect)",
    _to_itself,
)


def _empty_query(question: Question, detour: Answer, server: Answer) -> bool:
    return question.target.endswith("?") and question.target.count("?") == 1


EMPTY_QUERY = Explanation(
    "empty-query",
    "a `?` with nothing behind it: to the server it is text, to a URL parser no query (WHATWG URL, `search`)",
    _empty_query,
    lambda question: msgspec.structs.replace(question, target=question.target.removesuffix("?")),
)


def _repeats(question: Question, detour: Answer, server: Answer) -> bool:
    return _once(question) != question


def _once(question: Question) -> Question:
    """With the first of each parameter alone."""
    path, mark, query = question.target.partition("?")
    first: dict[str, str] = {}
    for one in query.split("&"):
        first.setdefault(one.partition("=")[0], one)
    return msgspec.structs.replace(question, target=path + mark + "&".join(first.values()))


REPEATED = Explanation(
    "repeated-parameter",
    "a parameter is in the query twice: nginx's `$arg_` is the first (ngx_http_arg), Detour takes the last",
    _repeats,
    _once,
)


def _spaced(question: Question, detour: Answer, server: Answer) -> bool:
    query = detour.location.partition("?")[2]
    return server.status == 403 and re.search(r"%(?:20|[01][0-9A-Fa-f]|7[Ff])", query) is not None


SPACED = Explanation(
    "spaced-query",
    "Apache refuses to rewrite spaces and control characters into a query without B (AH10410, since 2.4.56)",
    _spaced,
)


def _escaped_again(question: Question, detour: Answer, server: Answer) -> bool:
    path, mark, query = server.location.partition("?")
    once = path + mark + query.replace("%25", "%")
    return "%" in question.target.partition("?")[2] and (server.status, once) == (
        detour.status,
        detour.location,
    )


ESCAPED_AGAIN = Explanation(
    "escaped-again",
    "Apache escapes the query once more where a RewriteRule has one of its own and no NE "
    "(modules/mappers/mod_rewrite.c, hook_uri2file: `noescape`)",
    _escaped_again,
)
BARE_MARK = Explanation(
    "bare-mark",
    "the same Location but for a `?` or `&` with nothing behind it, which Detour does not write",
    lambda question, detour, server: (
        "?" not in question.target
        and (server.status, server.location)
        in ((detour.status, f"{detour.location}?"), (detour.status, f"{detour.location}&"))
    ),
)
CASE_OF_HOST = Explanation(
    "case-of-host",
    "the host in capitals: the server's expressions and tables see it as sent (RFC 9110 §4.2.3: no case)",
    lambda question, detour, server: question.authority != question.authority.lower(),
    lambda question: msgspec.structs.replace(question, authority=question.authority.lower()),
)
UNUSABLE = Explanation(
    "unusable",
    "the Location that the server sends is no URL, so that nobody can follow it; Detour never sends one",
    lambda question, detour, server: server.location.startswith("unusable:"),
)
KNOWN = (SPELLING, LEADING_SLASHES, TRIPLETS, DECODED, TO_ITSELF, EMPTY_QUERY, BARE_MARK, UNUSABLE)
NGINX = (*KNOWN, REPEATED)
APACHE = (*KNOWN, ESCAPED_AGAIN, SPACED)
OF_HOSTS = (*KNOWN, CASE_OF_HOST)
