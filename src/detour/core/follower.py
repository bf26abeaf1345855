"""Which request follows a response: a pure machine over a row of `core.policy`. It sends nothing.

    step = Follower(Outgoing("POST", url), FETCH).receive(303, ["/done"])

A value is what was asked so far; `receive` says what a response leads to, and the shell sends it or stops.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from detour.core.chain import CREDENTIAL_FIELDS, End, Fields, Outgoing
from detour.core.location import resolve
from detour.core.policy import Policy, Rewriting
from detour.core.status import REDIRECT_STATUSES
from detour.core.url import DEFAULT_PORTS, URL
from detour.errors import URLError

Location = str | bytes

_LONGEST = 200  # characters of a Location in what is said about it

# WHATWG URL §4.4 strips C0 controls and spaces at both ends and TAB, LF, CR anywhere, then reads the scheme.
_IGNORED = re.compile(r"^[\x00-\x20]+|[\t\n\r]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


class Step(msgspec.Struct, frozen=True):
    """The request to send next, and the follower that takes its response."""

    follower: Follower
    request: Outgoing


class Follower(msgspec.Struct, frozen=True):
    """What was asked so far and under which policy; `earlier` holds the requests before, first to last."""

    request: Outgoing
    policy: Policy
    earlier: tuple[Outgoing, ...] = ()
    since_cookie: int = 0  # how many of `earlier` came before a cookie was set
    stop_at_repeat: bool = True  # no client does; without it only the hop limit ends a loop

    def receive(
        self, status: int, locations: Location | Sequence[Location], cookies: bool = False
    ) -> Step | End:
        """What a response with this status and every one of its Locations leads to; never raises.

        `cookies`: whether it set any. A `str` is text, or octets decoded one by one.
        """
        if status not in self.policy.statuses:
            return End("arrived")
        chosen = self._location(status, locations)
        if isinstance(chosen, End):
            return chosen
        url = self._resolve(chosen)
        if url is None:
            return _refused(chosen)
        if len(self.earlier) >= self.policy.limit:
            return End("too-many-hops", f"{self.policy.name} follows {self.policy.limit} redirects")
        rewriting = self.policy.rewriting(status, self.request.method, self.request.content != "none")
        return self._unsendable(status, rewriting) or self._step(url, rewriting, cookies)

    def location_url(self, locations: Location | Sequence[Location]) -> URL | None:
        """The URL that this policy makes of these Locations; None: nothing that can be asked."""
        chosen = self._location(302, locations)
        return None if isinstance(chosen, End) else self._resolve(chosen)

    @property
    def first(self) -> Outgoing:
        """The request that the chain began with."""
        return self.earlier[0] if self.earlier else self.request

    def _location(self, status: int, locations: Location | Sequence[Location]) -> str | End:
        given = (locations,) if isinstance(locations, str | bytes) else locations
        if len(given) == 1 and given[0] and isinstance(given[0], str) and given[0].isascii():
            return given[0]  # as nearly all are: no policy makes anything else of it
        texts = [_text(location) for location in given]
        if not texts:
            return End("no-location" if status in REDIRECT_STATUSES else "arrived")
        several, empty = self.policy.several, self.policy.empty_location
        if empty == "skipped":
            texts = [text for text in texts if text] or texts[:1]
        if len(texts) > 1 and (several == "fail" or (several == "differing" and len(set(texts)) > 1)):
            return End("many-locations", f"{len(texts)} Locations")
        chosen = ", ".join(texts) if several == "joined" else texts[0]
        if not chosen and empty != "followed":
            return End("not-followed", "Location is empty")
        return chosen

    def _resolve(self, location: str) -> URL | None:
        """The URL, with the fragment this policy gives it."""
        base, inherits = self.request.url, self.policy.fragment
        if not self.policy.backslash and "\\" in location:
            location = location.replace("\\", "%5C")
        bare = base if base.fragment is None else msgspec.structs.replace(base, fragment=None)
        url = resolve(location, bare)
        if url is None:
            return None
        if inherits == "never":  # nor is an empty one kept
            return msgspec.structs.replace(url, fragment=None) if url.fragment == "" else url
        if url.fragment == base.fragment:
            return url
        if url.fragment is None or (inherits == "empty" and not url.fragment):
            return msgspec.structs.replace(url, fragment=base.fragment)
        return url

    def _unsendable(self, status: int, rewriting: Rewriting | None) -> End | None:
        """Why content that can be sent once only stops the chain here, if it does."""
        policy = self.policy
        if policy.once == "hand-back":
            gone = rewriting is None and self.first.content == "once"
            return End("not-followed", "the content cannot be sent again") if gone else None
        spared = rewriting is not None and not (policy.replay_even_if_dropped and status != 303)
        if self.request.content != "once" or policy.once == "empty" or spared:
            return None
        return End("not-replayable", "the content was a stream that is used up")

    def _step(self, url: URL, rewriting: Rewriting | None, cookies: bool) -> Step | End:
        request = self._next(url, rewriting)
        earlier = (*self.earlier, self.request)
        since_cookie = len(earlier) if cookies else self.since_cookie
        if self.stop_at_repeat and any(_same(request, before) for before in earlier[since_cookie:]):
            return End("loop", f"{request.method} {_short(str(request.url))} was sent before")
        return Step(Follower(request, self.policy, earlier, since_cookie, self.stop_at_repeat), request)

    def _next(self, url: URL, rewriting: Rewriting | None) -> Outgoing:
        method, content = self.request.method, self.request.content
        if rewriting is not None:
            method, content = rewriting.method or method, "none"
        elif content == "once":
            content = "none"  # only `once="empty"` comes here
        return Outgoing(method, url, self._fields(url, rewriting is not None), content)

    def _fields(self, url: URL, drops_content: bool) -> Fields:
        policy, before = self.policy, self.request.url
        dropped = policy.never_again
        if drops_content:
            dropped |= policy.content_fields
        if policy.border.crossed(self.first.url, before, url):
            dropped |= policy.guarded
        kept = _without(self._held(), dropped) if dropped else self._held()
        return self._with_referer(kept, url)

    def _held(self) -> Fields:
        """The fields there are to choose from: with a border that `returns`, also those left behind."""
        if not self.policy.border.returns:
            return self.request.fields
        now = {name.lower() for name, _ in self.request.fields} | self.policy.guarded
        return tuple(field for field in self.first.fields if field[0].lower() in now)

    def _with_referer(self, fields: Fields, url: URL) -> Fields:
        written = self.first.values("referer")
        kind = self.policy.referer
        if kind == "kept" or bool(written) is (kind == "sent"):
            return fields
        others = tuple(field for field in fields if field[0].lower() != "referer")
        referers = written if kind != "sent" else (_without_userinfo(self.request.url),)
        new = (_referer(value, url, kind) for value in referers)
        return others + tuple(("Referer", value) for value in new if value)


@lru_cache(maxsize=256)  # the requests of a list carry the same fields
def _without(fields: Fields, dropped: frozenset[str]) -> Fields:
    return tuple(field for field in fields if field[0].lower() not in dropped)


def _referer(value: str, url: URL, kind: str) -> str:
    """A Referer as it may be shown to `url`; "" for not at all."""
    try:
        shown = URL.parse(value)
    except URLError:
        return value
    if shown.origin == url.origin:
        return value
    if shown.scheme == "https" and (url.scheme == "http" or kind == "secure"):
        return ""
    return f"{shown.origin}/" if kind == "trimmed" else value


def _without_userinfo(url: URL) -> str:
    return str(msgspec.structs.replace(url, username="", password=""))


def _text(location: Location) -> str:
    """Octets as UTF-8 where they are, else as Latin-1, as browsers read them."""
    if isinstance(location, str) and location.isascii():
        return location
    try:
        octets = location if isinstance(location, bytes) else location.encode("latin-1")
    except UnicodeEncodeError:
        return str(location)
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _refused(location: str) -> End:
    found = _SCHEME.match(_IGNORED.sub("", location))
    if found and found[1].lower() not in DEFAULT_PORTS:
        return End("refused-scheme", f"{_short(found[1].lower())}: is neither http nor https")
    return End("bad-location", f"{_short(location)!r} is not a URL")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _same(request: Outgoing, before: Outgoing) -> bool:
    """Whether a server that sets no cookies cannot tell the two apart: method, URL, content, credentials."""
    return request.url.path == before.url.path and _identity(request) == _identity(before)


def _identity(request: Outgoing) -> tuple[object, ...]:
    credentials = frozenset(field for field in request.fields if field[0].lower() in CREDENTIAL_FIELDS)
    url = request.url
    return request.method, url.origin, url.request_target, request.content, credentials
