"""What a row of a table can see: one redirect, or the requests that come round again. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from detour.audit.finding import Severity
from detour.core.chain import Chain, Hop, Response
from detour.core.status import REDIRECT_STATUSES
from detour.core.url import URL, encode_octets
from detour.errors import URLError
from detour.follow.fingerprint import Guess

TRIED = frozenset({"loop", "too-many-hops"})  # ends of chains that came round
KEEPING_STATUSES = frozenset({307, 308})  # RFC 9110 §15.4.8, §15.4.9

MOST_SHOWN = 300  # characters of one thing that a server wrote

_PROXIES = ("nginx", "openresty", "caddy", "cloudflare")  # the ones that put their name on what they pass on
_NEXT_TO_NOTHING = re.compile(r"\s*")
_PLACE = re.compile("<[a-z-]+>")


class Sight(msgspec.Struct, frozen=True):
    """One redirect: the request, the response, and where its Location leads."""

    hop: Hop
    response: Response
    to: URL
    place: int  # in the chain, from 0
    guesses: tuple[Guess, ...] = ()

    @property
    def url(self) -> URL:
        """The target URI of the request."""
        return self.hop.request.url

    @property
    def location(self) -> str:
        """The first Location as received."""
        return self.response.locations[0]

    @property
    def server(self) -> str:
        """The Server field, in lower case; "" without one."""
        return (self.response.first("server") or "").lower()

    @property
    def nameless(self) -> bool:
        """Whether no Server tells who wrote the answer; a proxy puts its own name there."""
        return not self.server or self.server.startswith(_PROXIES)

    @property
    def content(self) -> str:
        """The content, octet by octet."""
        return self.response.content.decode("latin-1")

    @property
    def empty(self) -> bool:
        """Whether there is no content to speak of."""
        return bool(_NEXT_TO_NOTHING.fullmatch(self.content))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the fields as received, in order."""
        return tuple(name for name, _ in self.response.fields)

    @property
    def untyped(self) -> bool:
        """Whether there is no content and no Content-Type either."""
        return self.empty and self.response.first("content-type") is None

    @property
    def absolute(self) -> bool:
        """Whether Location names a scheme and a host."""
        return "://" in self.location

    @property
    def same_host(self) -> bool:
        """Whether only scheme, port, path or query change."""
        return self.url.hostname == self.to.hostname

    @property
    def same_path(self) -> bool:
        """Whether path and query stay."""
        return self.url.request_target == self.to.request_target

    @property
    def to_itself(self) -> bool:
        """Whether Location leads to the target URI again."""
        return same_place(self.url, self.to)

    @property
    def slash_only(self) -> bool:
        """Whether only one slash at the end of the path is added or dropped, on the same host."""
        return self.same_host and one_slash_apart(self.url, self.to)

    @property
    def to_https(self) -> bool:
        """Whether nothing but the scheme changes, from http to https (and the port with it)."""
        schemes = (self.url.scheme, self.to.scheme)
        return schemes == ("http", "https") and self.same_host and self.same_path

    @property
    def to_http(self) -> bool:
        """Whether an https request is sent to http on the same host."""
        return (self.url.scheme, self.to.scheme) == ("https", "http") and self.same_host

    def emitted_by(self, *emitters: str) -> bool:
        """Whether a fingerprint names one of these programs."""
        return any(guess.emitter in emitters for guess in self.guesses)

    def surely(self, *emitters: str) -> bool:
        """Whether a fingerprint is certain of one of these programs."""
        return any(guess.emitter in emitters and guess.confidence == "is" for guess in self.guesses)

    def may_be(self, *emitters: str) -> bool:
        """Whether no fingerprint is certain of a program that is none of these."""
        certain = [guess.emitter for guess in self.guesses if guess.confidence == "is"]
        return not certain or any(emitter in emitters for emitter in certain)


class Cause(msgspec.Struct, frozen=True):
    """A reason for a redirect nobody expected. `<path>` and the like in its texts are filled in (`facts`)."""

    id: str  # U1..U16 of the field notes
    name: str  # kebab-case
    severity: Severity
    seen: Callable[[Sight], bool]
    message: str
    remedy: Callable[[Sight], str]
    references: tuple[str, ...]
    statuses: frozenset[int] = frozenset({307})  # that it is looked for at
    confidence: Literal["is", "suggests"] = "is"  # "suggests": never staged, or never certain
    sure: Callable[[Sight], bool] = lambda sight: True
    better: str = ""  # the loop that tells more of the same; found, this row is silent


class Loop(msgspec.Struct, frozen=True):
    """A reason why requests come round again; its remedy comes filled in, for it may be about any of them."""

    id: str  # L1..L7 of the field notes
    name: str
    seen: Callable[[tuple[Sight, ...]], bool]
    message: str
    remedy: Callable[[tuple[Sight, ...]], str]
    references: tuple[str, ...]
    severity: Severity = "error"
    confidence: Literal["is", "suggests"] = "is"
    sure: Callable[[tuple[Sight, ...]], bool] = lambda steps: True


def sights(chain: Chain, guesses: Sequence[tuple[Guess, ...]]) -> tuple[Sight, ...]:
    """Each redirect of the chain whose Location can be read; no guesses for a hop: none."""
    found = []
    for place, hop in enumerate(chain.hops):
        to = _led_to(hop)
        if hop.response is not None and to is not None:
            found.append(Sight(hop, hop.response, to, place, guesses[place] if place < len(guesses) else ()))
    return tuple(found)


def round_trip(chain: Chain, seen: Sequence[Sight]) -> tuple[Sight, ...]:
    """The first redirects that lead back to where they began; () when the chain arrives, or none does."""
    if chain.end.name == "arrived" or not seen:
        return ()
    if chain.end.name not in TRIED and seen[-1].response.values("set-cookie"):
        return ()  # with the cookie, the next request would be another one
    for end, last in enumerate(seen):
        for begin in range(end + 1):
            if _comes_back(chain, seen[begin], last):
                return tuple(seen[begin : end + 1])
    return ()


def same_place(one: URL, other: URL) -> bool:
    """Whether two URLs are requested alike: the fragment never leaves the client (RFC 9110 §4.2.5)."""
    return (one.origin, one.request_target) == (other.origin, other.request_target)


def one_slash_apart(one: URL, other: URL) -> bool:
    """Whether the paths differ by one slash at the end, and the queries not at all."""
    short, long = sorted((one.path, other.path), key=len)
    return long == f"{short}/" and one.query == other.query


def facts(sight: Sight) -> dict[str, str]:
    """What `<…>` stands for in the texts of a row."""
    request, to, response = sight.hop.request, sight.to, sight.response
    known = {
        "<method>": request.method,
        "<function>": request.method.lower(),
        "<path>": request.url.path,
        "<to-path>": to.path,
        "<status>": str(response.status),
        "<location>": sight.location,
        "<host>": request.url.hostname,
        "<origin>": request.url.origin,
        "<to-host>": to.hostname,
        "<to-origin>": to.origin,
        "<region>": response.first("x-amz-bucket-region") or "REGION",
        "<reason>": response.first("non-authoritative-reason") or "not told",
    }
    return {name: shown(value) for name, value in known.items()}


def shown(text: str) -> str:
    """What a server wrote, fit for a terminal: printable ASCII alone, and no longer than a few lines."""
    cut = text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."
    return " ".join(encode_octets(word) for word in cut.split(" "))


def filled(text: str, sight: Sight) -> str:
    """The text of a row with what is known about this redirect; what is put in is not read again."""
    known = facts(sight)
    return _PLACE.sub(lambda found: known.get(found[0], found[0]), text)


def _led_to(hop: Hop) -> URL | None:
    if hop.response is None or hop.response.status not in REDIRECT_STATUSES:
        return None
    if hop.location_url is not None:
        return hop.location_url
    try:
        return URL.parse(hop.response.locations[0], hop.request.url)
    except (IndexError, URLError):
        return None


def _comes_back(chain: Chain, first: Sight, last: Sight) -> bool:
    """The same method at the same place; a 303 after a POST to itself is no loop."""
    if not same_place(first.url, last.to):
        return False
    kept = last.response.status in KEEPING_STATUSES or last.hop.request.method in ("GET", "HEAD")
    return chain.end.name == "loop" or (kept and first.hop.request.method == last.hop.request.method)
