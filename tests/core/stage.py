"""Two origins on loopback that answer as a plan says, and what a row makes of the same answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from detour.core.chain import Content, End, Outgoing
from detour.core.policy import Policy
from detour.core.url import URL
from tests.core.following import Answer, follow
from tests.net.origin import Peer, origin

CONTENT = b"x=1"
FIELDS = (
    ("Authorization", "Bearer a"),
    ("Cookie", "c=1"),
    ("Proxy-Authorization", "Basic p"),
    ("X-Api-Key", "k"),
    ("Content-Type", "text/x"),
    ("Content-Language", "en"),
    ("Referer", "https://page.example/a?b"),
)
NAMES = frozenset(name.lower() for name, _ in FIELDS)
TO = {"same": "/done", "port": "http://127.0.0.1:{other}/done", "host": "http://localhost:{port}/done"}
BACK = "http://127.0.0.1:{port}/back"

CHAINS: dict[str, list[Answer]] = {
    "away and back": [(302, (TO["host"],)), (302, (BACK,))],
    "to another port and back": [(307, (TO["port"],)), (307, (BACK,))],
    "two that differ": [(302, ("/a", "/b"))],
    "two that do not differ": [(302, ("/a", "/a"))],
    "an empty one": [(302, ("",))],
    "an empty one first": [(302, ("", "/b"))],
    "none": [(302, ())],
    "a fragment": [(302, ("/a#g",)), (302, ("/b",))],
    "an empty fragment": [(302, ("/a#",))],
    "no scheme of the web": [(302, ("gopher://127.0.0.1/",))],
    "in a circle": [(302, ("/form",))] * 60,
}

Sent = tuple[str, str, dict[str, str], bytes]  # method, URL, fields of NAMES, content


def as_many(redirects: int) -> list[Answer]:
    """So many redirects, none of them twice."""
    return [(302, (f"/{number}",)) for number in range(redirects)]


class Stage:
    """Gives the next of the answers, whoever is asked, and then 200."""

    def __init__(self) -> None:
        self.port = self.other = 0
        self.answers: list[Answer] = []
        self.sent: list[Sent] = []

    def play(self, answers: list[Answer]) -> None:
        """Begin anew, with these answers."""
        self.answers, self.sent = list(answers), []

    def asked(self, method: str = "GET", content: Content = "none", path: str = "/form") -> Outgoing:
        """The first request of a plan."""
        return Outgoing(method, URL.parse(f"http://127.0.0.1:{self.port}{path}"), FIELDS, content)

    def told(
        self, policy: Policy, request: Outgoing, answers: list[Answer]
    ) -> tuple[list[Sent], End | None, str]:
        """What a row makes of the answers: what is sent, the end, and the URL it came to."""
        placed = [(status, tuple(map(self._placed, locations))) for status, locations in answers]
        sent, end = follow(request, policy, placed, stop_at_repeat=False)
        return [_shown(one) for one in sent], end, str(sent[-1].url)

    def talk(self, peer: Peer) -> None:
        """Answer one request, whatever it is."""
        line, *lines = peer.head().decode("latin-1").split("\r\n")
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        chunked = "transfer-encoding" in fields
        content = _chunks(peer) if chunked else peer.content(int(fields.get("content-length", 0)))
        if not line or content is None:
            return  # the client thought better of it
        method, target, _ = line.split(" ")
        kept = {name: value for name, value in fields.items() if name in NAMES}
        self.sent.append((method, f"http://{fields['host']}{target}", kept, content))
        status, locations = self.answers.pop(0) if self.answers else (200, ())
        said = "".join(f"Location: {self._placed(location)}\r\n" for location in locations)
        peer.say(f"HTTP/1.1 {status} X\r\n{said}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())

    def _placed(self, location: object) -> str:
        return str(location).replace("{port}", str(self.port)).replace("{other}", str(self.other))


def _chunks(peer: Peer) -> bytes | None:
    """The content out of its chunks; None where the client leaves in between."""
    content = b""
    while size := peer.until(b"\r\n").strip():
        octets = peer.content(int(size, 16) + 2)
        if size == b"0":
            return content
        content += octets[:-2]
    return None


def _shown(request: Outgoing) -> Sent:
    fields = {name.lower(): value for name, value in request.fields}
    content = b"" if request.content == "none" else CONTENT
    return request.method, request.url.origin + request.url.request_target, fields, content


@contextmanager
def staged() -> Iterator[Stage]:
    """A stage on two ports from the kernel."""
    stage = Stage()
    with ExitStack() as stack:
        stage.port, stage.other = (stack.enter_context(origin(stage.talk)).port for _ in range(2))
        yield stage
