"""Clients without a network: what they send is recorded as an origin would, and judged.

`Honest` obeys RFC 9110 in the plainest way; `browser` makes it do what Fetch says. A liar is an honest client
with one method changed. How a Location is resolved is urllib's matter here, and no table of the lab is read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import quote, urljoin, urlsplit

from detour.lab.case import Answer, Arrival, Case, Origin, Outcome, Record, address_of, filled
from detour.lab.contents import answer_octets, octets

ORIGINS: dict[Origin, str] = {
    "a": "http://127.0.0.1:8001",
    "p": "http://127.0.0.1:8002",
    "b": "http://127.0.0.2:8003",
    "s": "https://127.0.0.1:8004",
    "t": "https://127.0.0.2:8005",
    "f": "ftp://127.0.0.1:8006",
}
TOKEN = "t0123456789abcde"


@dataclass(frozen=True)
class Request:
    method: str
    url: str
    fields: tuple[tuple[str, str], ...]
    content: bytes

    @property
    def origin(self) -> str:
        return "://".join(urlsplit(self.url)[:2])


def first_request(case: Case) -> Request:
    asked = case.asked
    content = octets(asked.content)
    media_type = asked.content.media_type
    if asked.content.kind == "multipart":
        media_type += "; boundary=detour-lab-boundary"
    fields = (*asked.fields, ("Content-Type", media_type)) if media_type else asked.fields
    fields = (*fields, ("Content-Length", str(len(content)))) if content else fields
    url = filled(f"{{{asked.origin}}}{asked.target}", ORIGINS, TOKEN)
    return Request(asked.method, url, fields, content)


class World:
    """The origins: they record and answer."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.arrivals: list[Arrival] = []

    def send(self, request: Request, complete: bool = True) -> Answer:
        letter = next(letter for letter, base in ORIGINS.items() if base == request.origin)
        target = request.url.removeprefix(request.origin)
        found = address_of(target)
        assert found is not None, target
        assert found[0] == TOKEN
        station = found[1]
        visit = 1 + sum(arrival.station == station for arrival in self.arrivals)
        cookies = "; ".join(value for name, value in request.fields if name == "Cookie")
        answer = self.case.answer(station, visit, cookies)
        whole = complete and not (answer.early and request.content)
        head = f"{request.method} {target} HTTP/1.1\r\n\r\n".encode()
        content = request.content if whole else request.content[: len(request.content) // 2]
        self.arrivals.append(
            Arrival(station, letter, request.method, target, request.fields, content, whole, head)
        )
        locations = tuple(filled(location, ORIGINS, TOKEN, station) for location in answer.locations)
        assert answer_octets(answer) is not None
        return Answer(answer.status, locations, answer.fields)


class Honest:
    """Follows 301, 302, 303, 307 and 308, and says so when it does not."""

    limit = 20

    def __init__(
        self, case: Case, browser: bool = False, replays: bool = True, post_to_get: bool = True
    ) -> None:
        self.case, self.browser = case, browser
        self.replays = replays or case.asked.content.kind != "stream"
        self.post_to_get = post_to_get or browser
        self.world = World(case)
        self.jar: dict[str, str] = {}  # host -> cookie

    def record(self) -> Record:
        if self.browser and self.case.preflight:
            return Record((), Outcome("error", error="preflight"), ORIGINS, TOKEN)
        outcome = Outcome("error", error="nothing done")
        for _ in range(self.case.asked.times):
            outcome = self.outcome()
        return Record(tuple(self.world.arrivals), outcome, ORIGINS, TOKEN)

    def outcome(self) -> Outcome:
        """One request and all that follow it."""
        request = first_request(self.case)
        answer = self.send(request, 0)
        for number in range(1, 100):
            if not self.follows(answer):
                break
            if number > self.limit:
                return Outcome("error", error="too many redirects")
            following = self.next(request, answer)
            if isinstance(following, Outcome):
                return following
            request = self.changed(following, number)
            answer = self.send(request, number)
        return Outcome("answered", answer.status, url=request.url)

    def send(self, request: Request, number: int) -> Answer:
        host = urlsplit(request.url).hostname or ""
        cookie = (("Cookie", self.jar[host]),) if host in self.jar else ()
        answer = self.world.send(replace(request, fields=(*request.fields, *cookie)))
        for name, value in answer.fields:
            if name == "Set-Cookie":
                self.jar[host] = value.partition(";")[0]
        return answer

    def changed(self, request: Request, number: int) -> Request:
        """For liars: what is really sent as redirected request `number`."""
        return request

    def follows(self, answer: Answer) -> bool:
        sockets = self.browser and self.case.asked.api == "websocket"
        followed = answer.status in (301, 302, 303, 307, 308) and not sockets
        return followed and bool(answer.locations) and answer.locations != ("",)

    def next(self, request: Request, answer: Answer) -> Request | Outcome:
        if len(set(answer.locations)) > 1:
            return Outcome("error", error="two Locations")
        url = urljoin(request.url, answer.locations[0].strip()).partition("#")[0]
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or parts.username:
            return Outcome("error", error=f"not followed: {parts.scheme}")
        base = f"{parts.scheme}://{parts.netloc}"
        target = quote(url.partition(parts.netloc)[2], safe="/?#[]@!$&'()*+,;=:%~-._")
        return self.redirected(request, answer.status, base + target)

    def redirected(self, request: Request, status: int, url: str) -> Request | Outcome:
        fields = request.fields
        method = self.method(request.method, status)
        bare = method != request.method
        if bare:
            fields = tuple(field for field in fields if not field[0].startswith("Content-"))
        elif request.content and not self.replays:
            return Outcome("error", error="the stream has been read")
        following = Request(method, url, fields, b"" if bare else request.content)
        if following.origin == request.origin:
            return following
        secret = ("Authorization", "Cookie", "Proxy-Authorization")
        return replace(following, fields=tuple(field for field in fields if field[0] not in secret))

    def method(self, method: str, status: int) -> str:
        if status == 303 and method not in ("GET", "HEAD"):
            return "GET"
        if status in (301, 302) and method == "POST" and self.post_to_get:
            return "GET"
        return method
