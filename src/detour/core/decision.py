"""A decision, and the response fields it is made of.

Nothing cached outlives its truth: every answer is `no-store` but a redirect with `cache`, whose
`max-age` ends where any rule that was looked at on the way starts or ends; `Vary` names every
field those rules look at (RFC 9111 §4.1, §5.2.2).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import floor, inf, nextafter

import msgspec

from detour.core.message import Request
from detour.core.rule import Rule

Fields = tuple[tuple[str, str], ...]

_NOTHING: frozenset[str] = frozenset()
NO_STORE = ("Cache-Control", "no-store")


class Decision(msgspec.Struct, frozen=True):
    """What the server answers, and because of which rule.

    `fields` are the response fields of the decision, in the order they are sent; `serve.wire` adds
    Date, Content-* and Connection. An equal request gets an equal decision before `until` (seconds
    since the epoch), if it is equal too in what `depends` names (fields in lower case, "client").
    """

    status: int
    rule: Rule | None = None
    location: str | None = None
    fields: Fields = ()
    until: float = inf
    depends: frozenset[str] = frozenset()


def answer(rule: Rule, location: str | None, request: Request, seen: list[Rule], now: float) -> Decision:
    """What the answering `rule` says, after looking at the rules `seen` (itself included)."""
    edge = _edge(seen, now)
    depends = _union(seen)
    if location is None:
        return Decision(
            rule.status, rule, None, (NO_STORE, *_vary(depends), *rule.terms.headers), edge, depends
        )
    max_age = _max_age(rule.terms.cache, edge, now) if "client" not in depends else 0
    cache = ("Cache-Control", f"max-age={max_age}") if max_age else NO_STORE
    retry = () if rule.terms.retry_after is None else (("Retry-After", str(rule.terms.retry_after)),)
    fields = (
        ("Location", location),
        cache,
        *_vary(depends),
        *retry,
        *_cors(rule, request),
        *rule.terms.headers,
    )
    # From right after edge - max_age on, the seconds left to the edge read differently.
    until = nextafter(edge - max_age, inf) if max_age else edge
    return Decision(rule.status, rule, location, fields, until, depends)


def unanswered(allow: tuple[str, ...], seen: list[Rule], now: float) -> Decision:
    """404, or 405 when some method in `allow` would be redirected (RFC 9110 §15.5.5, §15.5.6)."""
    depends = _union(seen)
    allowed = (("Allow", ", ".join(allow)),) if allow else ()
    fields = (*allowed, NO_STORE, *_vary(depends))
    return Decision(405 if allow else 404, None, None, fields, _edge(seen, now), depends)


def preflight_answer(rule: Rule, request: Request, seen: list[Rule], now: float) -> Decision:
    """204 where the rule lets that origin in, 403 where it does not; never a redirect (Fetch)."""
    depends = _union(seen) | {"origin", "access-control-request-method", "access-control-request-headers"}
    fields = (NO_STORE, *_vary(depends))
    edge = _edge(seen, now)
    origin = request.first("origin") or ""
    if rule.terms.cors is None or not rule.terms.cors.allows(origin):
        return Decision(403, rule, None, fields, edge, depends)
    methods = sorted(rule.terms.methods) if rule.terms.methods is not None else [request.method]
    allowed = rule.terms.cors.headers
    headers = request.first("access-control-request-headers") if allowed is None else ", ".join(allowed)
    max_age = _preflight_age(rule.terms.cors.max_age, edge, now)
    granted = (
        ("Access-Control-Allow-Methods", ", ".join(methods)),
        ("Access-Control-Allow-Headers", headers),
        ("Access-Control-Max-Age", None if max_age is None else str(max_age)),
    )
    said = tuple((name, value) for name, value in granted if value)
    return Decision(204, rule, None, (*fields, *_cors(rule, request), *said), edge, depends)


def _cors(rule: Rule, request: Request) -> Iterator[tuple[str, str]]:
    """What lets a browser of another origin follow (Fetch, CORS check)."""
    cors = rule.terms.cors
    if cors is None:
        return
    origin = request.first("origin")
    if cors.origins is None and not cors.credentials:
        yield "Access-Control-Allow-Origin", "*"
    elif origin is not None and cors.allows(origin):
        yield "Access-Control-Allow-Origin", origin
    else:
        return
    if cors.credentials:
        yield "Access-Control-Allow-Credentials", "true"
    if cors.expose:
        yield "Access-Control-Expose-Headers", ", ".join(cors.expose)


def _max_age(wanted: int | None, edge: float, now: float) -> int:
    if wanted is None:
        return 0
    return wanted if edge == inf else min(wanted, floor(edge - now))


# What a browser assumes when a preflight answer says nothing (Fetch, CORS-preflight cache).
_ASSUMED_AGE = 5


def _preflight_age(wanted: int | None, edge: float, now: float) -> int | None:
    """Seconds a preflight answer may be remembered; None where nothing need be said."""
    if wanted is None and edge - now >= _ASSUMED_AGE:
        return None
    return _max_age(_ASSUMED_AGE if wanted is None else wanted, edge, now)


def _edge(seen: list[Rule], now: float) -> float:
    """The next instant at which any rule looked at starts or ends."""
    return min(
        (edge for rule in seen for edge in (rule.terms.start, rule.terms.end) if edge > now), default=inf
    )


def _union(seen: list[Rule]) -> frozenset[str]:
    return _NOTHING.union(*(rule.terms.depends for rule in seen))


def _vary(depends: frozenset[str]) -> Iterator[tuple[str, str]]:
    names = sorted(name.title() for name in depends - {"client"})
    if names:
        yield "Vary", ", ".join(names)
